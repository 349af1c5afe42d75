// grpc.reflection.v1.ServerReflection, and v1alpha, which looks the same on the wire.
//
// gRPC's own (libgrpc++_reflection) blocks a thread for each call, and shows calls that say nothing
// to nobody: one connection could hold as many as it liked, at 14 KiB each. It has no v1, either,
// which newer tools ask for first.
#ifndef WORMHOLE_RELAY_REFLECTION_REFLECTION_SERVICE_H_
#define WORMHOLE_RELAY_REFLECTION_REFLECTION_SERVICE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "grpcpp/support/server_callback.h"
#include "relay/grpc/call_gate.h"
#include "relay/grpc/call_limit.h"
#include "relay/grpc/streamed_service.h"
#include "relay/grpc/unary_call.h"
#include "relay/reflection/reflection_answers.h"

namespace wormhole::relay {

// Thread-safe.
class ReflectionService {
 public:
  // Streams at a time, the oldest of which gives way to the newest, and how long one may last: what
  // is asked on it takes milliseconds, though grpcurl keeps it as long as its own call.
  static constexpr size_t kMaxStreams = 16;
  static constexpr absl::Duration kLongest = absl::Minutes(1);

  // Tells of these services and of itself. `gate` counts each stream, and each question after its
  // first, as a call of its client. Null: as many as like. Outlives this and its server.
  explicit ReflectionService(std::vector<std::string> services, CallGate* gate = nullptr);

  ReflectionService(const ReflectionService&) = delete;
  ReflectionService& operator=(const ReflectionService&) = delete;

  // To be registered at one server, all of them.
  std::vector<grpc::Service*> services() { return {&v1_, &v1alpha_}; }

  // Ends streams that last too long. To be called now and then.
  void CutLate();
  // Ends those that there are. To be called before the server shuts down, which otherwise waits for
  // them.
  void End();

 private:
  class Call;

  template <typename Api>
  class Version final : public StreamedService<typename Api::Service> {
   public:
    explicit Version(ReflectionService* reflection) {
      this->ServeAsStream(0, [reflection](grpc::CallbackServerContext* context) {
        return reflection->Begin(context);
      });
    }
  };

  StreamReactor* Begin(grpc::CallbackServerContext* context);

  const ReflectionAnswers answers_;
  CallGate* const gate_;
  CallLimit streams_;
  Version<grpc::reflection::v1::ServerReflection> v1_{this};
  Version<grpc::reflection::v1alpha::ServerReflection> v1alpha_{this};
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_REFLECTION_REFLECTION_SERVICE_H_
