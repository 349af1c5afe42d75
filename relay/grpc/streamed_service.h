// A service whose calls are seen from their heads on.
#ifndef WORMHOLE_RELAY_GRPC_STREAMED_SERVICE_H_
#define WORMHOLE_RELAY_GRPC_STREAMED_SERVICE_H_

#include <functional>
#include <utility>

#include "grpcpp/impl/codegen/server_callback_handlers.h"
#include "grpcpp/support/server_callback.h"
#include "relay/grpc/unary_call.h"

namespace wormhole::relay {

// `Generated` is what gRPC's generator makes of the service (Api::Service).
template <typename Generated>
class StreamedService : public Generated {
 protected:
  using OnCall = std::function<StreamReactor*(grpc::CallbackServerContext*)>;

  // Serves a method, by its place among those of the service, as a stream in both directions (see
  // StreamReactor). In the constructor.
  void ServeAsStream(int index, OnCall on_call) {
    this->MarkMethodStreamed(index, nullptr);
    this->MarkMethodRawCallback(
        index, new grpc::internal::CallbackBidiHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
                   std::move(on_call)));
  }
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_GRPC_STREAMED_SERVICE_H_
