// grpc.health.v1.Health for this relay.
//
// gRPC's built-in health service cannot be called through reflection, since it has no descriptor;
// and it cannot say NOT_SERVING while streams are still drained.
//
// Both methods are served as streams in both directions (see StreamReactor), so that calls whose
// request never comes are counted and ended.
#ifndef WORMHOLE_RELAY_HEALTH_HEALTH_SERVICE_H_
#define WORMHOLE_RELAY_HEALTH_HEALTH_SERVICE_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/support/server_callback.h"
#include "proto/sync/mutex.h"
#include "relay/grpc/call_gate.h"
#include "relay/grpc/call_limit.h"
#include "relay/grpc/streamed_service.h"
#include "relay/grpc/unary_call.h"

namespace wormhole::relay {

// Thread-safe.
class HealthService final : public StreamedService<grpc::health::v1::Health::Service> {
 public:
  // The services that clients may ask for, by name ("" is the whole relay), and whether each
  // serves. Any thread calls the functions, under this object's lock: a function that called this
  // object back would block for ever.
  using Services = std::map<std::string, std::function<bool()>>;

  // `gate` lets in the calls of strangers. Null: whoever calls is answered.
  // `at_once` says how many calls there are at a time. Null: as many as like. Both outlive this and
  // its server. `patience` is how long a call may take to say what it asks for.
  explicit HealthService(Services services, CallGate* gate = nullptr, CallLimit* at_once = nullptr,
                         absl::Duration patience = absl::Seconds(10));

  // Tells every Watch what has changed, and ends calls whose request has not come in time. Call it
  // when a function begins to return another value, and a few times a second.
  void Refresh() WORMHOLE_EXCLUDES(mutex_);

  // Ends every Watch, and later ones as they come. Call it before the server shuts down, which
  // otherwise waits for them.
  void EndWatches() WORMHOLE_EXCLUDES(mutex_);

 private:
  class Call;
  // By their places in health.proto. One that Watch began stays, also when it asks for an unknown
  // name, as the protocol wants it.
  enum class Method { kCheck, kWatch };

  StreamReactor* Begin(Method method, grpc::CallbackServerContext* context)
      WORMHOLE_EXCLUDES(mutex_);
  // The call's request has come.
  void Answer(Call& call, const std::string& name) WORMHOLE_EXCLUDES(mutex_);
  void Forget(const std::shared_ptr<Call>& call) WORMHOLE_EXCLUDES(mutex_);

  const Services services_;
  CallGate* const gate_;
  CallLimit* const at_once_;
  const absl::Duration patience_;
  // Also held while a call asks its function: without that, an older answer could overwrite a newer
  // one.
  sync::Mutex mutex_;
  bool watches_over_ WORMHOLE_GUARDED_BY(mutex_) = false;
  std::set<std::shared_ptr<Call>> calls_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_HEALTH_HEALTH_SERVICE_H_
