#include "relay/server/admin_port.h"

#include <string>
#include <utility>
#include <vector>

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

std::vector<std::string> Names(const RelayConfig& config) {
  std::vector<std::string> names = {grpc::health::v1::Health::service_full_name(),
                                    rendezvous::v1::InspectionService::service_full_name()};
  if (config.admin_channelz) names.emplace_back(grpc::channelz::v1::Channelz::service_full_name());
  return names;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AdminPort>> AdminPort::Open(const RelayConfig& config,
                                                           Switchboard* switchboard,
                                                           Monitor* monitor,
                                                           const ServingState* serving) {
  std::unique_ptr<AdminPort> admin(new AdminPort(config, switchboard, monitor, serving));
  std::vector<grpc::Service*> services = admin->reflection_.services();
  services.insert(services.end(), {&admin->health_, &admin->inspection_});
  if (config.admin_channelz) services.push_back(&admin->channelz_);
  absl::StatusOr<std::unique_ptr<GrpcPort>> port =
      GrpcPort::Open({.flag = "--admin-listen",
                      .listen = config.admin_listen,
                      .credentials = grpc::InsecureServerCredentials(),
                      .services = std::move(services),
                      .in_channelz = config.admin_channelz,
                      .max_connection_age = kLongestInspection,
                      .idle_timeout = kOperatorIdle,
                      .max_streams_per_connection = kOperatorStreams,
                      .receive_buffer = kOperatorReceiveBuffer,
                      .monitor = monitor,
                      .gate = admin->gate_.calls(),
                      .unknown_is_abandoned = true,
                      .accept = admin->gate_.Rules()});
  if (!port.ok()) return port.status();
  admin->port_ = *std::move(port);
  admin->gate_.Guard(admin->port_.get());
  return admin;
}

AdminPort::AdminPort(const RelayConfig& config, Switchboard* switchboard, Monitor* monitor,
                     const ServingState* serving)
    : health_(Services(serving), nullptr, &watches_),
      inspection_(config, switchboard, monitor, serving, gate_.calls()),
      reflection_(Names(config), gate_.calls()),
      channelz_(gate_.calls()) {}

void AdminPort::Close(std::chrono::steady_clock::time_point deadline) {
  health_.EndWatches();
  inspection_.EndWatches();
  reflection_.End();
  port_->Close(deadline);
}

}  // namespace wormhole::relay
