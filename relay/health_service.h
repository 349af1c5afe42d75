// grpc.health.v1.Health for this relay.
//
// gRPC's built-in health service cannot be called through reflection, since it has no descriptor;
// and it cannot say NOT_SERVING while streams are still drained.
#ifndef WORMHOLE_RELAY_HEALTH_SERVICE_H_
#define WORMHOLE_RELAY_HEALTH_SERVICE_H_

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "grpc/health/v1/health.grpc.pb.h"
#include "proto/sync/mutex.h"

namespace wormhole::relay {

// Knows "" (the whole relay) and one more service, which are always in the same state. Thread-safe.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  explicit HealthService(std::string_view service);

  // NOT_SERVING from the start until told otherwise. Tells every Watch.
  void SetServing(bool serving) WORMHOLE_EXCLUDES(mutex_);

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

  bool Knows(const std::string& service) const;
  grpc::health::v1::HealthCheckResponse::ServingStatus StatusOf(bool known) const
      WORMHOLE_REQUIRES(mutex_);
  void Forget(const std::shared_ptr<Watcher>& watcher) WORMHOLE_EXCLUDES(mutex_);

  const std::string service_;
  mutable sync::Mutex mutex_;
  bool serving_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool watches_over_ WORMHOLE_GUARDED_BY(mutex_) = false;
  std::set<std::shared_ptr<Watcher>> watchers_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_HEALTH_SERVICE_H_
