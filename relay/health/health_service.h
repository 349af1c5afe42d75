// grpc.health.v1.Health for this relay.
//
// gRPC's built-in health service cannot be called through reflection, since it has no descriptor;
// and it cannot say NOT_SERVING while streams are still drained.
#ifndef WORMHOLE_RELAY_HEALTH_HEALTH_SERVICE_H_
#define WORMHOLE_RELAY_HEALTH_HEALTH_SERVICE_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "grpc/health/v1/health.grpc.pb.h"
#include "proto/sync/mutex.h"

namespace wormhole::relay {

// Thread-safe.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  // What it is asked for, by name ("" is the whole relay), and whether that serves. The functions
  // are called by any thread under a lock: they look at a state, and call nothing that comes back.
  using Services = std::map<std::string, std::function<bool()>>;

  explicit HealthService(Services services) : services_(std::move(services)) {}

  // Tells every Watch what has changed; call when what a function returns has.
  void Refresh() WORMHOLE_EXCLUDES(mutex_);

  // Ends every Watch, the later ones at once; call before the server shuts down, which otherwise
  // waits for them.
  void EndWatches() WORMHOLE_EXCLUDES(mutex_);

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) override;
  // For a name that it does not know: SERVICE_UNKNOWN, and stays open, as the protocol wants it.
  grpc::ServerWriteReactor<grpc::health::v1::HealthCheckResponse>* Watch(
      grpc::CallbackServerContext* context,
      const grpc::health::v1::HealthCheckRequest* request) override;

 private:
  class Watcher;

  using ServingStatus = grpc::health::v1::HealthCheckResponse::ServingStatus;

  // Nothing for a name that it does not know.
  const std::function<bool()>* Find(const std::string& service) const;
  void Forget(const std::shared_ptr<Watcher>& watcher) WORMHOLE_EXCLUDES(mutex_);

  const Services services_;
  // Also around the calls of the functions that are for Watch, so that the last look counts.
  sync::Mutex mutex_;
  bool watches_over_ WORMHOLE_GUARDED_BY(mutex_) = false;
  std::set<std::shared_ptr<Watcher>> watchers_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_HEALTH_HEALTH_SERVICE_H_
