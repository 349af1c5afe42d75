#include "client/stream/grpc_transport.h"

#include <grpcpp/channel.h>
#include <net/if.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/core/failure.h"
#include "client/stream/authorities.h"
#include "client/stream/grpc_stream.h"
#include "client/stream/pem.h"
#include "client/stream/relay_address.h"
#include "client/stream/target.h"
#include "client/stream/thread_rehearsal.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

// The target of a stream whose relay has no route: no socket, so that the stream never connects.
constexpr char kNowhere[] = "unix:/dev/null";

// Refuses a zone that this machine has no interface for: a stream there would merely never connect.
absl::Status CheckZones(std::string_view relay) {
  const auto address = ParseRelayAddress(relay);
  if (!address.ok()) return address.status();
  for (const Endpoint& endpoint : address->endpoints) {
    uint32_t number = 0;
    if (endpoint.zone.empty() || absl::SimpleAtoi(endpoint.zone, &number) ||
        if_nametoindex(endpoint.zone.c_str()) != 0) {
      continue;
    }
    return core::Failure(
        Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
        absl::StrCat("name an interface of this machine behind the % (`ip link` lists them): it "
                     "has none called '",
                     endpoint.zone, "'"));
  }
  return absl::OkStatus();
}

}  // namespace

GrpcTransport::GrpcTransport() : GrpcTransport(ProxySettings::From(&std::getenv)) {}

GrpcTransport::GrpcTransport(ProxySettings proxies) : proxies_(std::move(proxies)) {}

absl::Status GrpcTransport::Check(const StreamTarget& target) {
  const absl::StatusOr<Security> security = CheckTarget(target);
  if (!security.ok()) return security.status();
  const bool tls = *security == Security::kTls;
  if (auto routes = RoutesTo(target.relay, tls, proxies_); !routes.ok()) return routes.status();
  if (absl::Status status = CheckZones(target.relay); !status.ok()) return status;
  if (absl::Status status = CheckPems(target.tls); !status.ok()) return status;
  if (tls && target.tls.root_certificates.empty()) {
    const absl::Status trust = CheckAuthorities(AuthorityPlaces::From(&std::getenv));
    if (!trust.ok()) return trust;
  }
  return Rehearse();
}

absl::Status GrpcTransport::Rehearse() {
  sync::MutexLock lock(mutex_);
  if (rehearsed_) return absl::OkStatus();
  absl::Status status = RehearseThreads(ThreadsOfGrpc());
  rehearsed_ = status.ok();
  return status;
}

std::shared_ptr<Stream> GrpcTransport::Open(const StreamTarget& target,
                                            std::shared_ptr<StreamListener> listener) {
  // The target was checked before the exchange began; a bad one merely never connects.
  const Security security = CheckTarget(target).value_or(Security::kTls);
  auto routes = RoutesTo(target.relay, security == Security::kTls, proxies_);
  if (!routes.ok()) routes = std::vector<Route>{{.target = kNowhere}};
  const Route& route = NextRoute(target, *routes, security);
  Explainer::Way way{.scene = {.relay = target.relay,
                               .route = route,
                               .loopback = IsLoopback(target.relay).value_or(false),
                               .only_route = routes->size() == 1},
                     .security = security,
                     .tls = target.tls};
  return GrpcStream::Start(
      {.token = streams_->Add(),
       .channel = channels_->To({.route = route, .security = security, .tls = target.tls}),
       .channels = channels_,
       .way = std::move(way),
       .explainer = explainer_,
       .awake = Awake()},
      target.bearer_token, std::move(listener));
}

// Call it only when a stream is opened: gRPC ends a process in which it cannot start its threads,
// so the rehearsal in Check has to come first.
std::shared_ptr<rpc::AwakeThreads> GrpcTransport::Awake() {
  sync::MutexLock lock(mutex_);
  std::shared_ptr<rpc::AwakeThreads> awake = awake_.lock();
  if (awake == nullptr) {
    // A thread of gRPC may drop the last reference, and must not wait for gRPC. So the closer
    // destroys the threads elsewhere, as it does with channels.
    closer_->NoteOpen();
    const auto elsewhere = [closer = closer_](std::function<void()> end) {
      closer->Close(std::move(end));
    };
    awake_ = awake = std::make_shared<rpc::AwakeThreads>(elsewhere);
  }
  return awake;
}

std::string GrpcTransport::AwaitGone(std::chrono::steady_clock::time_point deadline) {
  if (const size_t left = streams_->AwaitNone(deadline); left > 0) {
    return absl::StrCat("streams to a relay are ending (", left, ")");
  }
  if (std::string left = closer_->AwaitClosed(deadline); !left.empty()) return left;
  if (!threads_->AwaitGone(deadline)) {
    return absl::StrCat("threads are at work: ", absl::StrJoin(threads_->names(), ", "));
  }
  return "";
}

const Route& GrpcTransport::NextRoute(const StreamTarget& target, const std::vector<Route>& routes,
                                      Security security) {
  if (routes.size() == 1) return routes.front();
  size_t turn = 0;
  {
    sync::MutexLock lock(mutex_);
    turn = turn_++;
  }
  for (size_t i = 0; i < routes.size(); ++i) {
    const Route& route = routes[(turn + i) % routes.size()];
    const auto state =
        channels_->To({.route = route, .security = security, .tls = target.tls})->GetState(false);
    if (state != GRPC_CHANNEL_TRANSIENT_FAILURE) return route;
  }
  return routes[turn % routes.size()];
}

}  // namespace wormhole
