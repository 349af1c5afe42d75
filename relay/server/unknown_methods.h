// Calls of methods that the relay has not.
#ifndef WORMHOLE_RELAY_SERVER_UNKNOWN_METHODS_H_
#define WORMHOLE_RELAY_SERVER_UNKNOWN_METHODS_H_

#include "grpcpp/generic/async_generic_service.h"
#include "relay/grpc/call_gate.h"

namespace wormhole::relay {

// Answers UNIMPLEMENTED, as gRPC would; which would count them for nobody, so that a flood of them
// would cost whoever sends it nothing. Thread-safe.
class UnknownMethods final : public grpc::CallbackGenericService {
 public:
  // `gate` outlives this. `abandoned`: such a call counts as one that is given up
  // (CallGate::NoteAbandoned), where nobody comes with methods of later versions.
  UnknownMethods(CallGate* gate, bool abandoned) : gate_(gate), abandoned_(abandoned) {}

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;

 private:
  CallGate* const gate_;
  const bool abandoned_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_UNKNOWN_METHODS_H_
