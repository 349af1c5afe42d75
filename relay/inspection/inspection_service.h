// wormhole.rendezvous.v1.InspectionService: what an operator can see of this relay. Read only.
#ifndef WORMHOLE_RELAY_INSPECTION_INSPECTION_SERVICE_H_
#define WORMHOLE_RELAY_INSPECTION_INSPECTION_SERVICE_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>

#include "absl/time/time.h"
#include "proto/sync/mutex.h"
#include "relay/config/config.h"
#include "relay/grpc/call_gate.h"
#include "relay/grpc/call_limit.h"
#include "relay/grpc/streamed_service.h"
#include "relay/grpc/unary_call.h"
#include "relay/health/serving_state.h"
#include "relay/inspection/event_watcher.h"
#include "relay/monitor/monitor.h"
#include "relay/switchboard/switchboard.h"
#include "wormhole/rendezvous/v1/inspection.grpc.pb.h"

namespace wormhole::relay {

// Thread-safe. Nothing here blocks: the store's threads answer pages of channels.
class InspectionService final : public StreamedService<rendezvous::v1::InspectionService::Service> {
 public:
  // How many pages of channels the store reads at a time, also for clients that have gone. Each
  // page may be a thousand loads, so that without a limit clients could keep the store busy.
  static constexpr int kMaxListings = 4;
  // Calls at a time, and how long one may take until its answer, of up to half a megabyte, has been
  // read; or until its request is here, which is all that counts of WatchEvents.
  static constexpr size_t kMaxAnswers = 32;
  static constexpr absl::Duration kAnswerTime = absl::Seconds(20);

  // `gate` counts the calls of each client; null: as many as like. The pointers outlive the service
  // and the server that it is registered at.
  InspectionService(const RelayConfig& config, Switchboard* switchboard, Monitor* monitor,
                    const ServingState* serving, CallGate* gate = nullptr);

  // Ends every WatchEvents, and later ones as they come. Call it before the server shuts down,
  // which otherwise waits for them.
  void EndWatches() WORMHOLE_EXCLUDES(mutex_);

  // Cuts calls that have taken longer than kAnswerTime. To be called now and then.
  void CutLate();

 private:
  template <typename Request, typename Response>
  using CallOf = std::shared_ptr<UnaryCall<Request, Response>>;
  using RelayCall = CallOf<rendezvous::v1::GetRelayRequest, rendezvous::v1::GetRelayResponse>;
  using AppsCall = CallOf<rendezvous::v1::ListAppsRequest, rendezvous::v1::ListAppsResponse>;
  using ChannelsCall =
      CallOf<rendezvous::v1::ListChannelsRequest, rendezvous::v1::ListChannelsResponse>;
  using NetworksCall =
      CallOf<rendezvous::v1::ListNetworksRequest, rendezvous::v1::ListNetworksResponse>;

  // Both serve a method as a stream (see StreamReactor).
  template <typename Request, typename Response>
  void ServeUnary(const char* method,
                  void (InspectionService::*show)(const Request&,
                                                  const CallOf<Request, Response>&));
  void Serve(const char* method, OnCall begin);

  // The methods, once the request is here.
  void ShowRelay(const rendezvous::v1::GetRelayRequest& request, const RelayCall& call);
  void ShowApps(const rendezvous::v1::ListAppsRequest& request, const AppsCall& call);
  void ShowChannels(const rendezvous::v1::ListChannelsRequest& request, const ChannelsCall& call);
  void ShowNetworks(const rendezvous::v1::ListNetworksRequest& request, const NetworksCall& call);
  void ShowEvents(const rendezvous::v1::WatchEventsRequest& request,
                  const std::shared_ptr<EventWatcher>& watcher);

  StreamReactor* BeginWatch(grpc::CallbackServerContext* context) WORMHOLE_EXCLUDES(mutex_);
  std::unique_ptr<CallLimit::Place> Enter(grpc::CallbackServerContext& context);

  void Forget(const std::shared_ptr<EventWatcher>& watcher) WORMHOLE_EXCLUDES(mutex_);

  const RelayConfig config_;
  Switchboard* const switchboard_;
  Monitor* const monitor_;
  const ServingState* const serving_;
  CallLimit answers_;
  // Shared with listings that the store answers after the service's end.
  const std::shared_ptr<std::atomic<int>> listings_ = std::make_shared<std::atomic<int>>(0);

  sync::Mutex mutex_;
  bool watches_over_ WORMHOLE_GUARDED_BY(mutex_) = false;
  std::set<std::shared_ptr<EventWatcher>> watchers_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_INSPECTION_INSPECTION_SERVICE_H_
