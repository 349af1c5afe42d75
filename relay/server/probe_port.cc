#include "relay/server/probe_port.h"

#include <utility>

namespace wormhole::relay {
namespace {

HealthService::Services Probes(const ServingState* serving, RelayClock* clock,
                               const StoreHealth* store) {
  const auto ready = [serving, clock, store] {
    return serving->serves() && store->state().status.ok() && !clock->state().outvoted;
  };
  return {{"", ready}, {"readiness", ready}, {"liveness", [] { return true; }}};
}

}  // namespace

absl::StatusOr<std::unique_ptr<ProbePort>> ProbePort::Open(const std::string& listen,
                                                           const ServingState* serving,
                                                           RelayClock* clock, Monitor* monitor) {
  std::unique_ptr<ProbePort> probe(new ProbePort(serving, clock, &monitor->store_health()));
  absl::StatusOr<std::unique_ptr<GrpcPort>> port =
      GrpcPort::Open({.flag = "--probe-listen",
                      .listen = listen,
                      .credentials = grpc::InsecureServerCredentials(),
                      .services = {&probe->health_},
                      .max_connection_age = kLongestProbe,
                      .idle_timeout = kOperatorIdle,
                      .max_streams_per_connection = kOperatorStreams,
                      .receive_buffer = kOperatorReceiveBuffer,
                      .monitor = monitor,
                      .gate = probe->gate_.calls(),
                      .unknown_is_abandoned = true,
                      .accept = probe->gate_.Rules()});
  if (!port.ok()) return port.status();
  probe->port_ = *std::move(port);
  probe->gate_.Guard(probe->port_.get());
  return probe;
}

ProbePort::ProbePort(const ServingState* serving, RelayClock* clock, const StoreHealth* store)
    : health_(Probes(serving, clock, store), nullptr, &watches_) {}

void ProbePort::Close(std::chrono::steady_clock::time_point deadline) {
  health_.EndWatches();
  port_->Close(deadline);
}

}  // namespace wormhole::relay
