// wormhole.rendezvous.v1.InspectionService: what an operator can see of this relay. Read only.
#ifndef WORMHOLE_RELAY_INSPECTION_INSPECTION_SERVICE_H_
#define WORMHOLE_RELAY_INSPECTION_INSPECTION_SERVICE_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <set>

#include "proto/sync/mutex.h"
#include "relay/config/config.h"
#include "relay/health/serving_state.h"
#include "relay/inspection/event_watcher.h"
#include "relay/monitor/monitor.h"
#include "relay/switchboard/switchboard.h"
#include "wormhole/rendezvous/v1/inspection.grpc.pb.h"

namespace wormhole::relay {

// Thread-safe. Nothing here blocks: the store's threads answer pages of channels.
class InspectionService final : public rendezvous::v1::InspectionService::CallbackService {
 public:
  // How many pages of channels the store reads at a time, also for clients that have gone. Each
  // page may be a thousand loads, so that without a limit clients could keep the store busy.
  static constexpr int kMaxListings = 4;

  // The pointers outlive the service and the server that it is registered at.
  InspectionService(const RelayConfig& config, Switchboard* switchboard, Monitor* monitor,
                    const ServingState* serving);

  // Ends every WatchEvents, and later ones as they come. Call it before the server shuts down,
  // which otherwise waits for them.
  void EndWatches() WORMHOLE_EXCLUDES(mutex_);

  grpc::ServerUnaryReactor* GetRelay(grpc::CallbackServerContext* context,
                                     const rendezvous::v1::GetRelayRequest* request,
                                     rendezvous::v1::GetRelayResponse* response) override;
  grpc::ServerUnaryReactor* ListApps(grpc::CallbackServerContext* context,
                                     const rendezvous::v1::ListAppsRequest* request,
                                     rendezvous::v1::ListAppsResponse* response) override;
  grpc::ServerUnaryReactor* ListChannels(grpc::CallbackServerContext* context,
                                         const rendezvous::v1::ListChannelsRequest* request,
                                         rendezvous::v1::ListChannelsResponse* response) override;
  grpc::ServerWriteReactor<rendezvous::v1::WatchEventsResponse>* WatchEvents(
      grpc::CallbackServerContext* context,
      const rendezvous::v1::WatchEventsRequest* request) override;

 private:
  class ChannelLister;

  void Forget(const std::shared_ptr<EventWatcher>& watcher) WORMHOLE_EXCLUDES(mutex_);

  const RelayConfig config_;
  Switchboard* const switchboard_;
  Monitor* const monitor_;
  const ServingState* const serving_;
  // Shared with listings that the store answers after the service's end.
  const std::shared_ptr<std::atomic<int>> listings_ = std::make_shared<std::atomic<int>>(0);

  sync::Mutex mutex_;
  bool watches_over_ WORMHOLE_GUARDED_BY(mutex_) = false;
  std::set<std::shared_ptr<EventWatcher>> watchers_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_INSPECTION_INSPECTION_SERVICE_H_
