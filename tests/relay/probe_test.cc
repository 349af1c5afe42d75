// What Kubernetes' probes are told, from the relay's start to its end.
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "tests/relay/relay_server_fixture.h"
#include "tests/support/reserved_port.h"

namespace wormhole::service_test {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// As Kubernetes' kubelet asks, and for nothing else.
class Prober {
 public:
  explicit Prober(const std::string& address) : stub_(Health::NewStub(Connect(address))) {}

  std::string Check(const std::string& service) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    HealthCheckResponse response;
    const grpc::Status status = stub_->Check(&context, Request(service), &response);
    if (!status.ok()) return "error " + std::to_string(status.error_code());
    return HealthCheckResponse::ServingStatus_Name(response.status());
  }

  std::unique_ptr<grpc::ClientReader<HealthCheckResponse>> Watch(grpc::ClientContext& context,
                                                                 const std::string& service) {
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    return stub_->Watch(&context, Request(service));
  }

 private:
  static HealthCheckRequest Request(const std::string& service) {
    HealthCheckRequest request;
    request.set_service(service);
    return request;
  }

  const std::unique_ptr<Health::Stub> stub_;
};

class ProbeTest : public RelayServerTest {
 protected:
  ProbeTest() { config_.probe_listen = "127.0.0.1:0"; }

  Prober Probe() { return Prober(server_->probe_address()); }
};

TEST_F(ProbeTest, ARelayThatServesIsReady) {
  Serve();
  Prober prober = Probe();
  EXPECT_EQ(prober.Check("liveness"), "SERVING");
  EXPECT_EQ(prober.Check("readiness"), "SERVING");
  EXPECT_EQ(prober.Check(""), "SERVING");
  EXPECT_EQ(prober.Check("wormhole.rendezvous.v1.RendezvousService"), "error 5");
}

TEST_F(ProbeTest, AStoreThatFailsTakesReadinessAndNothingElse) {
  Serve();
  Prober prober = Probe();
  monitor_.OnTrouble(absl::UnavailableError("the disk is full"));
  EXPECT_EQ(prober.Check("liveness"), "SERVING");
  EXPECT_EQ(prober.Check("readiness"), "NOT_SERVING");
  EXPECT_EQ(prober.Check(""), "NOT_SERVING");
  // The public port's health is that of the relay.
  EXPECT_EQ(Prober(server_->address()).Check(""), "SERVING");
  monitor_.OnTrouble(absl::OkStatus());
  EXPECT_EQ(prober.Check("readiness"), "SERVING");
}

// It serves whoever comes all the same.
TEST_F(ProbeTest, AnOutvotedClockTakesReadinessAndNothingElse) {
  Serve();
  Prober prober = Probe();
  clock_.SetOutvoted(true);
  EXPECT_EQ(prober.Check("liveness"), "SERVING");
  EXPECT_EQ(prober.Check("readiness"), "NOT_SERVING");
  EXPECT_EQ(Prober(server_->address()).Check(""), "SERVING");
  clock_.SetOutvoted(false);
  EXPECT_EQ(prober.Check("readiness"), "SERVING");
  // A clock that was set is taken for what it was.
  SetClock(absl::Hours(72));
  EXPECT_EQ(prober.Check("readiness"), "SERVING");
}

TEST_F(ProbeTest, WhoWatchesIsToldOfTheStoreToo) {
  Serve();
  Prober prober = Probe();
  grpc::ClientContext context;
  const auto watch = prober.Watch(context, "readiness");
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  monitor_.OnTrouble(absl::UnavailableError("the disk is full"));
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  monitor_.OnTrouble(absl::OkStatus());
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  server_->Drain();
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ProbeTest, AWithdrawnRelayIsAliveAndNotReady) {
  Serve();
  Prober prober = Probe();
  server_->Withdraw();
  EXPECT_EQ(prober.Check("liveness"), "SERVING");
  EXPECT_EQ(prober.Check("readiness"), "NOT_SERVING");
}

// A store can take its time: a file's log is carried over, an etcd's keys are read.
TEST_F(ProbeTest, ARelayWhoseStoreIsBeingOpenedIsAliveAndNotReady) {
  const testing::ReservedPort reserved;
  config_.probe_listen = reserved.host_port();
  const auto open_store = [&] {
    Prober prober(reserved.host_port());
    EXPECT_EQ(prober.Check("liveness"), "SERVING");
    EXPECT_EQ(prober.Check("readiness"), "NOT_SERVING");
    return &store_;
  };
  auto server = RelayServer::Start(config_, open_store, &clock_, &monitor_);
  ASSERT_TRUE(server.ok()) << server.status();
  Prober prober(reserved.host_port());
  EXPECT_EQ(prober.Check("readiness"), "NOT_SERVING") << "the store has not said that it works";
  EXPECT_EQ(Prober((*server)->address()).Check(""), "NOT_SERVING");
  (*server)->Serve();
  EXPECT_EQ(prober.Check("readiness"), "SERVING");
  EXPECT_EQ(Prober((*server)->address()).Check(""), "SERVING");
  (*server)->Withdraw();
  (*server)->Serve();  // too late
  EXPECT_EQ(prober.Check("readiness"), "NOT_SERVING");
}

}  // namespace
}  // namespace wormhole::service_test
