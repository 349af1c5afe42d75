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
  // The services that clients may ask for, by name ("" is the whole relay), and whether each
  // serves. Any thread calls the functions, under this object's lock: a function that called this
  // object back would block for ever.
  using Services = std::map<std::string, std::function<bool()>>;

  explicit HealthService(Services services) : services_(std::move(services)) {}

  // Tells every Watch what has changed. Call it when a function begins to return another value.
  void Refresh() WORMHOLE_EXCLUDES(mutex_);

  // Ends every Watch, and later ones as they come. Call it before the server shuts down, which
  // otherwise waits for them.
  void EndWatches() WORMHOLE_EXCLUDES(mutex_);

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) override;
  // The Watch of an unknown name says SERVICE_UNKNOWN and stays open, as the protocol wants it.
  grpc::ServerWriteReactor<grpc::health::v1::HealthCheckResponse>* Watch(
      grpc::CallbackServerContext* context,
      const grpc::health::v1::HealthCheckRequest* request) override;

 private:
  class Watcher;

  using ServingStatus = grpc::health::v1::HealthCheckResponse::ServingStatus;

  // Null for an unknown name.
  const std::function<bool()>* Find(const std::string& service) const;
  void Forget(const std::shared_ptr<Watcher>& watcher) WORMHOLE_EXCLUDES(mutex_);

  const Services services_;
  // Also held while a Watch asks its function: without that, an older answer could overwrite a
  // newer one.
  sync::Mutex mutex_;
  bool watches_over_ WORMHOLE_GUARDED_BY(mutex_) = false;
  std::set<std::shared_ptr<Watcher>> watchers_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_HEALTH_HEALTH_SERVICE_H_
