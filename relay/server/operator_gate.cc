#include "relay/server/operator_gate.h"

#include <chrono>
#include <optional>

#include "absl/time/time.h"
#include "proto/net/address.h"
#include "relay/accept/arrival.h"
#include "relay/server/operator_limits.h"

namespace wormhole::relay {
namespace {

absl::Duration SteadyNow() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

AdmissionRules Limits() {
  AdmissionRules rules = {.by_network = false};
  rules.acts[Act::kOpenStream] = kOperatorCallsPerMinute;
  return rules;
}

}  // namespace

OperatorGate::OperatorGate() : admission_(Limits()), calls_(&admission_, &names_, SteadyNow) {}

AcceptRules OperatorGate::Rules() {
  AcceptRules rules = OperatorRules();
  rules.refuse = [this](const Admission::Client& client) -> std::optional<Arrival> {
    if (!admission_.Connect(client, SteadyNow())) return std::nullopt;
    return Arrival::kTooOften;
  };
  return rules;
}

void OperatorGate::CutWhoHoldsUp(GrpcPort& port) {
  const std::optional<net::Address> client = port.CutWhoHoldsUp();
  if (client) admission_.Charge(*client, kOperatorCallsPerMinute / 2, SteadyNow());
}

void OperatorGate::Guard(GrpcPort* port) {
  admission_.SetCutter([port](const net::Address& client) { port->CutConnectionsOf(client); });
}

}  // namespace wormhole::relay
