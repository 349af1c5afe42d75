// The operators' port: inspection, health, reflection and, if a flag asks for it, channelz.
#ifndef WORMHOLE_RELAY_SERVER_ADMIN_PORT_H_
#define WORMHOLE_RELAY_SERVER_ADMIN_PORT_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "relay/channelz/channelz_service.h"
#include "relay/config/config.h"
#include "relay/grpc/call_limit.h"
#include "relay/health/health_service.h"
#include "relay/health/serving_state.h"
#include "relay/inspection/inspection_service.h"
#include "relay/monitor/monitor.h"
#include "relay/reflection/reflection_service.h"
#include "relay/server/grpc_port.h"
#include "relay/server/operator_gate.h"
#include "relay/server/operator_limits.h"
#include "relay/switchboard/switchboard.h"

namespace wormhole::relay {

// In plaintext, for whoever reaches it.
class AdminPort {
 public:
  // Listens on config.admin_listen. The pointers outlive the port. Errors: see GrpcPort.
  static absl::StatusOr<std::unique_ptr<AdminPort>> Open(const RelayConfig& config,
                                                         Switchboard* switchboard, Monitor* monitor,
                                                         const ServingState* serving);

  AdminPort(const AdminPort&) = delete;
  AdminPort& operator=(const AdminPort&) = delete;

  const std::string& address() const { return port_->address(); }

  // Tells watchers of health what has changed. Any thread.
  void Refresh() { health_.Refresh(); }
  // Cuts those who do not read their answers, or stay for too long. To be called now and then.
  void CutLate() {
    inspection_.CutLate();
    reflection_.CutLate();
    channelz_.CutLate();
  }

  // See kOperatorCutPause. Any thread.
  void CutConnections() { port_->CutConnections(); }
  // See AcceptLoop. Any thread.
  void CutWhoHoldsUp() { gate_.CutWhoHoldsUp(*port_); }

  // Cuts the calls that are left at the deadline.
  void Close(std::chrono::steady_clock::time_point deadline);

 private:
  AdminPort(const RelayConfig& config, Switchboard* switchboard, Monitor* monitor,
            const ServingState* serving);

  OperatorGate gate_;
  CallLimit watches_{kOperatorHealthCalls, absl::InfiniteDuration(), gate_.calls()};
  HealthService health_;
  InspectionService inspection_;
  ReflectionService reflection_;
  ChannelzService channelz_;
  std::unique_ptr<GrpcPort> port_;  // set by Open
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_ADMIN_PORT_H_
