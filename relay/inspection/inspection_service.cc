#include "relay/inspection/inspection_service.h"

#include <algorithm>
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

namespace wormhole::relay {
namespace {

using rendezvous::v1::GetRelayRequest;
using rendezvous::v1::GetRelayResponse;
using rendezvous::v1::ListAppsRequest;
using rendezvous::v1::ListAppsResponse;
using rendezvous::v1::ListChannelsRequest;
using rendezvous::v1::ListChannelsResponse;
using rendezvous::v1::WatchEventsRequest;
using rendezvous::v1::WatchEventsResponse;

constexpr uint32_t kDefaultPage = 100;
constexpr uint32_t kMaxPage = 1000;

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

grpc::Status Crowded(const char* what) {
  return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, what);
}

}  // namespace

// One ListChannels. The store's answer ends it or, if that is first, the client's leaving. It
// counts as a listing until the store has answered, since the store goes on reading for a client
// that has left. The answer may come after the service's end.
class InspectionService::ChannelLister final : public grpc::ServerUnaryReactor,
                                               public std::enable_shared_from_this<ChannelLister> {
 public:
  ChannelLister(InspectionService* service, ListChannelsResponse* response)
      : switchboard_(service->switchboard_), listings_(service->listings_), response_(response) {}

  // The caller returns it to gRPC.
  ChannelLister* Run(const ListChannelsRequest& request) {
    self_ = shared_from_this();
    const absl::Status filter = CheckFilter(request.app_id());
    const absl::StatusOr<ChannelKey> after = ChannelsAfter(request);
    if (!filter.ok()) {
      End(ToGrpcStatus(filter));
    } else if (!after.ok()) {
      End(ToGrpcStatus(after.status()));
    } else if (++*listings_ > kMaxListings) {
      --*listings_;
      End(Crowded("four other pages of channels are being read; try again"));
    } else {
      switchboard_->ListChannels(
          request.app_id(), *after, PageSize(request.page_size()),
          [lister = self_](absl::StatusOr<ChannelPage> page) { lister->Answer(std::move(page)); });
    }
    return self_.get();
  }

  void OnCancel() override { End(grpc::Status::CANCELLED); }

  void OnDone() override { const std::shared_ptr<ChannelLister> alive = std::move(self_); }

 private:
  void Answer(absl::StatusOr<ChannelPage> page) {
    --*listings_;  // before the client can ask for the next page
    if (!page.ok()) return End(ToGrpcStatus(page.status()));
    if (!First()) return;
    for (const ChannelView& view : page->channels) {
      *response_->add_channels() = ShowChannel(view, page->as_of);
    }
    if (page->next) response_->set_next_page_token(WritePageToken(*page->next));
    Finish(grpc::Status::OK);
  }

  void End(grpc::Status status) {
    if (First()) Finish(std::move(status));
  }

  // True for the first caller, who ends the call. Until then gRPC keeps `response_`.
  bool First() { return !ended_.exchange(true); }

  Switchboard* const switchboard_;
  const std::shared_ptr<std::atomic<int>> listings_;
  ListChannelsResponse* const response_;
  std::shared_ptr<ChannelLister> self_;  // from Run() to OnDone()
  std::atomic<bool> ended_ = false;
};

InspectionService::InspectionService(const RelayConfig& config, Switchboard* switchboard,
                                     Monitor* monitor, const ServingState* serving)
    : config_(config), switchboard_(switchboard), monitor_(monitor), serving_(serving) {}

grpc::ServerUnaryReactor* InspectionService::GetRelay(grpc::CallbackServerContext* context,
                                                      const GetRelayRequest*,
                                                      GetRelayResponse* response) {
  response->set_version(kVersion);
  wire::Assign(monitor_->started_at(), *response->mutable_started_at());
  response->set_draining(serving_->stops());
  ShowStore(config_.store, monitor_->store_health().state(), *response->mutable_store());
  ShowLimits(config_, *response->mutable_limits());
  ShowCounts(switchboard_->Count(), *response->mutable_counts());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerUnaryReactor* InspectionService::ListApps(grpc::CallbackServerContext* context,
                                                      const ListAppsRequest* request,
                                                      ListAppsResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::StatusOr<std::string> after = AppsAfter(*request);
  if (!after.ok()) {
    reactor->Finish(ToGrpcStatus(after.status()));
    return reactor;
  }
  // One more than is shown tells whether there is another page.
  const size_t size = PageSize(request->page_size());
  std::vector<AppView> apps = switchboard_->ListApps(*after, size + 1);
  if (apps.size() > size) {
    apps.pop_back();
    response->set_next_page_token(WritePageToken({.app_id = apps.back().app_id, .id = 0}));
  }
  for (AppView& view : apps) {
    rendezvous::v1::App& app = *response->add_apps();
    app.set_app_id(std::move(view.app_id));
    app.set_active_channels(static_cast<uint32_t>(view.active_channels));
    app.set_resting_channels(static_cast<uint32_t>(view.resting_channels));
  }
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerUnaryReactor* InspectionService::ListChannels(grpc::CallbackServerContext*,
                                                          const ListChannelsRequest* request,
                                                          ListChannelsResponse* response) {
  return std::make_shared<ChannelLister>(this, response)->Run(*request);
}

grpc::ServerWriteReactor<WatchEventsResponse>* InspectionService::WatchEvents(
    grpc::CallbackServerContext*, const WatchEventsRequest* request) {
  auto watcher = std::make_shared<EventWatcher>([this](const auto& over) { Forget(over); });
  const absl::Status filter = CheckFilter(request->app_id());
  if (filter.ok()) {
    const absl::Time since = absl::Now();
    std::shared_ptr<EventQueue> queue =
        monitor_->events().Watch(request->app_id(), [weak = std::weak_ptr(watcher)] {
          if (const std::shared_ptr<EventWatcher> alive = weak.lock()) alive->Flush();
        });
    if (queue != nullptr) {
      watcher->Begin(std::move(queue), since);
    } else {
      watcher->End(Crowded("16 others watch already; stop one of them"));
    }
  } else {
    watcher->End(ToGrpcStatus(filter));
  }
  {
    sync::MutexLock lock(mutex_);
    watchers_.insert(watcher);
    if (watches_over_) {
      watcher->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the relay is stopping"));
    }
  }
  watcher->Flush();
  return watcher.get();
}

void InspectionService::EndWatches() {
  std::set<std::shared_ptr<EventWatcher>> watchers;
  {
    sync::MutexLock lock(mutex_);
    watches_over_ = true;
    watchers = watchers_;
  }
  for (const auto& watcher : watchers) {
    watcher->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the relay is stopping"));
    watcher->Flush();
  }
}

void InspectionService::Forget(const std::shared_ptr<EventWatcher>& watcher) {
  if (const auto queue = watcher->queue()) monitor_->events().Leave(queue);
  sync::MutexLock lock(mutex_);
  watchers_.erase(watcher);
}

}  // namespace wormhole::relay
