// The port for Kubernetes' probes: health in plaintext, and nothing else.
#ifndef WORMHOLE_RELAY_SERVER_PROBE_PORT_H_
#define WORMHOLE_RELAY_SERVER_PROBE_PORT_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "relay/clock/clock.h"
#include "relay/grpc/call_limit.h"
#include "relay/health/health_service.h"
#include "relay/health/serving_state.h"
#include "relay/health/store_health.h"
#include "relay/monitor/monitor.h"
#include "relay/server/grpc_port.h"
#include "relay/server/operator_gate.h"
#include "relay/server/operator_limits.h"

namespace wormhole::relay {

// `liveness` is SERVING as long as the relay answers at all, whatever its store does: a restart
// would not mend the store. `readiness`, and "", are SERVING while the relay serves, its store
// works and its clock is not outvoted; otherwise clients are better off at another relay.
class ProbePort {
 public:
  // Answers from the moment that this returns, before the relay serves. The pointers outlive the
  // port. Errors: see GrpcPort.
  static absl::StatusOr<std::unique_ptr<ProbePort>> Open(const std::string& listen,
                                                         const ServingState* serving,
                                                         RelayClock* clock, Monitor* monitor);

  ProbePort(const ProbePort&) = delete;
  ProbePort& operator=(const ProbePort&) = delete;

  const std::string& address() const { return port_->address(); }

  // Tells watchers what has changed; a check reads the present state by itself. Any thread.
  void Refresh() { health_.Refresh(); }

  // See kOperatorCutPause. Any thread.
  void CutConnections() { port_->CutConnections(); }
  // See AcceptLoop. Any thread.
  void CutWhoHoldsUp() { gate_.CutWhoHoldsUp(*port_); }

  // Cuts the calls that are left at the deadline.
  void Close(std::chrono::steady_clock::time_point deadline);

 private:
  ProbePort(const ServingState* serving, RelayClock* clock, const StoreHealth* store);

  OperatorGate gate_;
  CallLimit watches_{kOperatorHealthCalls, absl::InfiniteDuration(), gate_.calls()};
  HealthService health_;
  std::unique_ptr<GrpcPort> port_;  // set by Open
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_PROBE_PORT_H_
