// What load balancers and kubelets see.
#include <memory>
#include <string>

#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "tests/relay/relay_server_fixture.h"

namespace wormhole::service_test {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

class HealthTest : public RelayServerTest {
 protected:
  grpc::Status Check(const std::string& service, HealthCheckResponse& response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    HealthCheckRequest request;
    request.set_service(service);
    return Health::NewStub(channel_)->Check(&context, request, &response);
  }
};

TEST_F(HealthTest, ChecksTheRelayAndItsService) {
  Serve();
  for (const char* name : {"", "wormhole.rendezvous.v1.RendezvousService"}) {
    HealthCheckResponse response;
    EXPECT_TRUE(Check(name, response).ok());
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  }
  HealthCheckResponse response;
  EXPECT_EQ(Check("another.Service", response).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(HealthTest, WatchersSeeTheDrain) {
  Serve();
  const auto stub = Health::NewStub(channel_);
  const auto watch = [&](grpc::ClientContext& context, const std::string& service) {
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    HealthCheckRequest request;
    request.set_service(service);
    return stub->Watch(&context, request);
  };
  grpc::ClientContext context;
  grpc::ClientContext unknown_context;
  const auto watcher = watch(context, "");
  const auto unknown = watch(unknown_context, "another.Service");
  HealthCheckResponse response;
  ASSERT_TRUE(watcher->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  ASSERT_TRUE(unknown->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  server_->Drain();
  ASSERT_TRUE(watcher->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(watcher->Read(&response));
  EXPECT_FALSE(unknown->Read(&response));
  EXPECT_EQ(watcher->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(unknown->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(HealthTest, WatchersComeAndGo) {
  Serve();
  for (int round = 0; round < 50; ++round) {
    grpc::ClientContext context;
    const auto watcher = Health::NewStub(channel_)->Watch(&context, HealthCheckRequest());
    HealthCheckResponse response;
    if (round % 2 == 0) {
      ASSERT_TRUE(watcher->Read(&response));
    }
    context.TryCancel();
    watcher->Finish();
  }
  EXPECT_TRUE(server_->Drain());
}

}  // namespace
}  // namespace wormhole::service_test
