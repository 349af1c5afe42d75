#include "relay/server/admin_port.h"

#include <utility>

#include "wormhole/rendezvous/v1/rendezvous.grpc.pb.h"

namespace wormhole::relay {
namespace {

// The public port's, and the service of this port.
HealthService::Services Services(const ServingState* serving) {
  const auto serves = [serving] { return serving->serves(); };
  return {{"", serves},
          {rendezvous::v1::RendezvousService::service_full_name(), serves},
          {rendezvous::v1::InspectionService::service_full_name(), [] { return true; }}};
}

}  // namespace

absl::StatusOr<std::unique_ptr<AdminPort>> AdminPort::Open(const RelayConfig& config,
                                                           Switchboard* switchboard,
                                                           Monitor* monitor,
                                                           const ServingState* serving) {
  std::unique_ptr<AdminPort> admin(new AdminPort(config, switchboard, monitor, serving));
  absl::StatusOr<std::unique_ptr<GrpcPort>> port =
      GrpcPort::Open({.flag = "--admin-listen",
                      .listen = config.admin_listen,
                      .credentials = grpc::InsecureServerCredentials(),
                      .services = {&admin->health_, &admin->inspection_},
                      .reflection = true,
                      .channelz = config.admin_channelz,
                      .in_channelz = config.admin_channelz,
                      .max_connection_age = kLongestInspection,
                      .idle_timeout = kOperatorIdle,
                      .max_streams_per_connection = kOperatorStreams,
                      .monitor = monitor,
                      .accept = OperatorRules()});
  if (!port.ok()) return port.status();
  admin->port_ = *std::move(port);
  return admin;
}

AdminPort::AdminPort(const RelayConfig& config, Switchboard* switchboard, Monitor* monitor,
                     const ServingState* serving)
    : health_(Services(serving), nullptr, &watches_),
      inspection_(config, switchboard, monitor, serving) {}

void AdminPort::Close(std::chrono::steady_clock::time_point deadline) {
  health_.EndWatches();
  inspection_.EndWatches();
  port_->Close(deadline);
}

}  // namespace wormhole::relay
