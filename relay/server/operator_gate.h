// Who comes to a port for operators, and how often.
#ifndef WORMHOLE_RELAY_SERVER_OPERATOR_GATE_H_
#define WORMHOLE_RELAY_SERVER_OPERATOR_GATE_H_

#include "relay/accept/accept_loop.h"
#include "relay/accept/client_names.h"
#include "relay/admission/admission.h"
#include "relay/grpc/call_gate.h"
#include "relay/server/grpc_port.h"

namespace wormhole::relay {

// Of one port; by the limits in operator_limits.h. Metrics and alerts of clients do not count who
// is refused here. Thread-safe.
class OperatorGate {
 public:
  OperatorGate();

  OperatorGate(const OperatorGate&) = delete;
  OperatorGate& operator=(const OperatorGate&) = delete;

  // What the services of the port are to ask. Outlived by this.
  CallGate* calls() { return &calls_; }
  // What its accept loop is to keep to, which uses this.
  AcceptRules Rules();

  // See AcceptLoop. Who has held up the others for the third time in a minute may not connect for a
  // while. Not at the first: the whole process may have stood still, and a kubelet with it.
  void CutWhoHoldsUp(GrpcPort& port);

  // The port, once it is open: who goes on when he is refused is cut off there. Outlived by this;
  // it makes no more calls when it is closed.
  void Guard(GrpcPort* port);

 private:
  Admission admission_;
  const ClientNames names_;  // of nobody: there are no PROXY headers
  CallGate calls_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_OPERATOR_GATE_H_
