// Asks the relay at $WORMHOLE_ADMIN how it is, and which it is.
#include <cstdlib>
#include <iostream>
#include <memory>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "wormhole/rendezvous/v1/inspection.grpc.pb.h"

int main() {
  const char* address = std::getenv("WORMHOLE_ADMIN");
  if (address == nullptr) return 2;
  const std::shared_ptr<grpc::Channel> channel =
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials());

  grpc::health::v1::HealthCheckResponse health;
  grpc::ClientContext health_call;
  grpc::Status status = grpc::health::v1::Health::NewStub(channel)->Check(
      &health_call, grpc::health::v1::HealthCheckRequest(), &health);
  wormhole::rendezvous::v1::GetRelayResponse relay;
  grpc::ClientContext relay_call;
  if (status.ok()) {
    status = wormhole::rendezvous::v1::InspectionService::NewStub(channel)->GetRelay(
        &relay_call, wormhole::rendezvous::v1::GetRelayRequest(), &relay);
  }
  if (!status.ok()) {
    std::cout << status.error_message() << std::endl;
    return 1;
  }
  std::cout << grpc::health::v1::HealthCheckResponse::ServingStatus_Name(health.status()) << ' '
            << relay.store().location() << std::endl;
  return 0;
}
