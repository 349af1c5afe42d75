#include "relay/inspection/inspection_service.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "proto/error/error_detail.h"
#include "proto/version/version.h"
#include "proto/wire/app_id.h"
#include "proto/wire/proto_time.h"
#include "proto/wire/utf8.h"
#include "relay/config/flag_values.h"
#include "relay/grpc/grpc_status.h"
#include "relay/inspection/channel_view.h"
#include "relay/inspection/page_token.h"
#include "relay/monitor/loudest_networks.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::GetRelayRequest;
using rendezvous::v1::GetRelayResponse;
using rendezvous::v1::ListAppsRequest;
using rendezvous::v1::ListAppsResponse;
using rendezvous::v1::ListChannelsRequest;
using rendezvous::v1::ListChannelsResponse;
using rendezvous::v1::ListNetworksRequest;
using rendezvous::v1::ListNetworksResponse;
using rendezvous::v1::WatchEventsRequest;

constexpr uint32_t kDefaultPage = 100;
constexpr uint32_t kMaxPage = 1000;

absl::Duration SteadyNow() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

size_t PageSize(uint32_t asked) { return asked == 0 ? kDefaultPage : std::min(asked, kMaxPage); }

absl::Status Malformed(const char* field, std::string_view message) {
  return error::Make(error::ErrorDetail::REASON_MALFORMED, message, {.field = field});
}

absl::Status BadToken() {
  return Malformed("page_token",
                   "page_token: should be the next_page_token of the page before, with the same "
                   "app_id; leave it empty to begin anew");
}

// An empty app-id stands for all.
absl::Status CheckFilter(const std::string& app_id) {
  if (app_id.empty()) return absl::OkStatus();
  const absl::Status good = wire::CheckAppId(app_id);
  return good.ok() ? good : Malformed("app_id", std::string(good.message()));
}

// A file's name, and what another program says, may be any bytes; protobuf takes only UTF-8.
std::string AsText(std::string_view bytes) {
  if (wire::IsUtf8(bytes)) return std::string(bytes);
  return absl::CHexEscape(absl::string_view(bytes.data(), bytes.size()));
}

void ShowLimits(const RelayConfig& config, rendezvous::v1::RelayLimits& shown) {
  const ChannelLimits& limits = config.limits;
  shown.mutable_clients()->set_max_frame_bytes(limits.max_frame_bytes);
  shown.mutable_clients()->set_window_frames(limits.window_frames);
  shown.mutable_clients()->set_window_bytes(limits.window_bytes);
  wire::Assign(limits.ttl_default, *shown.mutable_channel_ttl_default());
  wire::Assign(limits.ttl_max, *shown.mutable_channel_ttl_max());
  wire::Assign(limits.quarantine, *shown.mutable_quarantine());
  wire::Assign(config.heartbeat, *shown.mutable_heartbeat_interval());
  if (config.max_stream_age != absl::InfiniteDuration()) {
    wire::Assign(config.max_stream_age, *shown.mutable_max_stream_age());
  }
}

void ShowCounts(const SwitchboardCounts& counts, rendezvous::v1::RelayCounts& shown) {
  shown.set_apps(static_cast<uint32_t>(counts.apps));
  shown.set_active_channels(static_cast<uint32_t>(counts.active_channels));
  shown.set_resting_channels(static_cast<uint32_t>(counts.resting_channels));
  shown.set_streams(static_cast<uint32_t>(counts.streams));
  shown.set_sides_alone(static_cast<uint32_t>(counts.sides_alone));
  shown.set_sides_paired(static_cast<uint32_t>(counts.sides_paired));
  shown.set_waiting(static_cast<uint32_t>(counts.waiting));
}

void ShowStore(const StoreChoice& choice, const StoreHealth::State& state,
               rendezvous::v1::StoreStatus& shown) {
  shown.set_location(AsText(WriteStore(choice)));
  shown.set_healthy(state.status.ok());
  const absl::string_view trouble = state.status.message();
  shown.set_trouble(AsText({trouble.data(), trouble.size()}));
  wire::Assign(state.since, *shown.mutable_since());
}

void ShowNetwork(NetworkView view, rendezvous::v1::ClientNetwork& shown) {
  shown.set_network(std::move(view.network));
  shown.set_loudness(static_cast<uint64_t>(std::llround(view.loudness)));
  shown.set_overstated_by(static_cast<uint64_t>(std::llround(view.overstated_by)));
  shown.set_streams_now(static_cast<uint32_t>(view.streams_now));
  shown.set_channels_now(static_cast<uint32_t>(view.channels_now));
  if (view.since == absl::InfiniteFuture()) return;
  wire::Assign(view.since, *shown.mutable_since());
  shown.set_connections(view.connections);
  shown.set_streams(view.streams);
  for (const auto& [reason, times] : view.refused) {
    rendezvous::v1::ClientNetwork::Refused& refused = *shown.add_refused();
    refused.set_reason(std::string(reason));
    refused.set_times(times);
  }
}

absl::StatusOr<std::string> AppsAfter(const ListAppsRequest& request) {
  if (request.page_token().empty()) return std::string();
  const std::optional<ChannelKey> last = ReadPageToken(request.page_token());
  if (!last || last->id != 0) return BadToken();
  return last->app_id;
}

absl::StatusOr<ChannelKey> ChannelsAfter(const ListChannelsRequest& request) {
  if (request.page_token().empty()) return ChannelKey();
  std::optional<ChannelKey> last = ReadPageToken(request.page_token());
  const bool fits =
      last && last->id != 0 && (request.app_id().empty() || request.app_id() == last->app_id);
  if (!fits) return BadToken();
  return *std::move(last);
}

ListChannelsResponse ShowPage(const ChannelPage& page) {
  ListChannelsResponse response;
  for (const ChannelView& view : page.channels) {
    *response.add_channels() = ShowChannel(view, page.as_of);
  }
  if (page.next) response.set_next_page_token(WritePageToken(*page.next));
  return response;
}

grpc::Status Crowded(const char* what) {
  return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, what);
}

grpc::Status Stopping() {
  return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the relay is stopping");
}

}  // namespace

InspectionService::InspectionService(const RelayConfig& config, Switchboard* switchboard,
                                     Monitor* monitor, const ServingState* serving, CallGate* gate)
    : config_(config),
      switchboard_(switchboard),
      monitor_(monitor),
      serving_(serving),
      answers_(kMaxAnswers, kAnswerTime, gate) {
  ServeUnary("GetRelay", &InspectionService::ShowRelay);
  ServeUnary("ListApps", &InspectionService::ShowApps);
  ServeUnary("ListChannels", &InspectionService::ShowChannels);
  ServeUnary("ListNetworks", &InspectionService::ShowNetworks);
  Serve("WatchEvents", [this](auto* context) { return BeginWatch(context); });
}

template <typename Request, typename Response>
void InspectionService::ServeUnary(
    const char* method,
    void (InspectionService::*show)(const Request&, const CallOf<Request, Response>&)) {
  Serve(method, [this, show](grpc::CallbackServerContext* context) {
    return UnaryCall<Request, Response>::Begin(
        Enter(*context),
        [this, show](const Request& request, const auto& call) { (this->*show)(request, call); });
  });
}

void InspectionService::Serve(const char* method, OnCall begin) {
  const auto* const service =
      GetRelayRequest::descriptor()->file()->FindServiceByName("InspectionService");
  const int index = service->FindMethodByName(method)->index();
  ServeAsStream(index, std::move(begin));
}

std::unique_ptr<CallLimit::Place> InspectionService::Enter(grpc::CallbackServerContext& context) {
  return answers_.Enter(context, SteadyNow());
}

void InspectionService::CutLate() { answers_.CutLate(SteadyNow()); }

void InspectionService::ShowRelay(const GetRelayRequest&, const RelayCall& call) {
  GetRelayResponse response;
  response.set_version(kVersion);
  wire::Assign(monitor_->started_at(), *response.mutable_started_at());
  response.set_draining(serving_->stops());
  ShowStore(config_.store, monitor_->store_health().state(), *response.mutable_store());
  ShowLimits(config_, *response.mutable_limits());
  ShowCounts(switchboard_->Count(), *response.mutable_counts());
  call->Answer(response);
}

void InspectionService::ShowApps(const ListAppsRequest& request, const AppsCall& call) {
  const absl::StatusOr<std::string> after = AppsAfter(request);
  if (!after.ok()) return call->End(ToGrpcStatus(after.status()));
  ListAppsResponse response;
  // One more than is shown tells whether there is another page.
  const size_t size = PageSize(request.page_size());
  std::vector<AppView> apps = switchboard_->ListApps(*after, size + 1);
  if (apps.size() > size) {
    apps.pop_back();
    response.set_next_page_token(WritePageToken({.app_id = apps.back().app_id, .id = 0}));
  }
  for (AppView& view : apps) {
    rendezvous::v1::App& app = *response.add_apps();
    app.set_app_id(std::move(view.app_id));
    app.set_active_channels(static_cast<uint32_t>(view.active_channels));
    app.set_resting_channels(static_cast<uint32_t>(view.resting_channels));
  }
  call->Answer(response);
}

// It counts as a listing until the store has answered, since the store goes on reading for a client
// that has left. The answer may come after the service's end.
void InspectionService::ShowChannels(const ListChannelsRequest& request, const ChannelsCall& call) {
  const absl::Status filter = CheckFilter(request.app_id());
  if (!filter.ok()) return call->End(ToGrpcStatus(filter));
  const absl::StatusOr<ChannelKey> after = ChannelsAfter(request);
  if (!after.ok()) return call->End(ToGrpcStatus(after.status()));
  if (++*listings_ > kMaxListings) {
    --*listings_;
    return call->End(Crowded("four other pages of channels are being read; try again"));
  }
  switchboard_->ListChannels(request.app_id(), *after, PageSize(request.page_size()),
                             [call, listings = listings_](absl::StatusOr<ChannelPage> page) {
                               --*listings;  // before the client can ask for the next page
                               if (!page.ok()) return call->End(ToGrpcStatus(page.status()));
                               call->Answer(ShowPage(*page));
                             });
}

void InspectionService::ShowNetworks(const ListNetworksRequest& request, const NetworksCall& call) {
  ListNetworksResponse response;
  for (NetworkView& view : monitor_->Loudest(PageSize(request.limit()))) {
    ShowNetwork(std::move(view), *response.add_networks());
  }
  call->Answer(response);
}

StreamReactor* InspectionService::BeginWatch(grpc::CallbackServerContext* context) {
  auto watcher = std::make_shared<EventWatcher>(
      Enter(*context),
      EventWatcher::Hooks{
          .asked = [this](const auto& request, const auto& self) { ShowEvents(request, self); },
          .over = [this](const auto& self) { Forget(self); }});
  {
    sync::MutexLock lock(mutex_);
    watchers_.insert(watcher);
    if (watches_over_) watcher->End(Stopping());
  }
  watcher->Flush();
  return watcher.get();
}

void InspectionService::ShowEvents(const WatchEventsRequest& request,
                                   const std::shared_ptr<EventWatcher>& watcher) {
  const absl::Status filter = CheckFilter(request.app_id());
  if (!filter.ok()) return watcher->End(ToGrpcStatus(filter));
  const absl::Time since = absl::Now();
  std::shared_ptr<EventQueue> queue =
      monitor_->events().Watch(request.app_id(), [weak = std::weak_ptr(watcher)] {
        if (const std::shared_ptr<EventWatcher> alive = weak.lock()) alive->Flush();
      });
  if (queue == nullptr) return watcher->End(Crowded("16 others watch already; stop one of them"));
  watcher->Begin(std::move(queue), since);
}

void InspectionService::EndWatches() {
  std::set<std::shared_ptr<EventWatcher>> watchers;
  {
    sync::MutexLock lock(mutex_);
    watches_over_ = true;
    watchers = watchers_;
  }
  for (const auto& watcher : watchers) {
    watcher->End(Stopping());
    watcher->Flush();
  }
}

void InspectionService::Forget(const std::shared_ptr<EventWatcher>& watcher) {
  if (const auto queue = watcher->queue()) monitor_->events().Leave(queue);
  sync::MutexLock lock(mutex_);
  watchers_.erase(watcher);
}

}  // namespace wormhole::relay
