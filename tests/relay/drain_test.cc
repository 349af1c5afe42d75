// How a relay goes: what load balancers, new clients and attached ones see of it, and that it ends.
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "tests/relay/inspection_fixture.h"
#include "tests/relay/relay_server_fixture.h"
#include "tests/support/attach_client.h"
#include "tests/support/relay_process.h"

namespace wormhole::service_test {
namespace {

using error::ErrorDetail;
using error::ReasonOf;
using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using testing::RelayProcess;

grpc::Status Check(const std::shared_ptr<grpc::Channel>& channel, HealthCheckResponse& response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  return Health::NewStub(channel)->Check(&context, HealthCheckRequest(), &response);
}

HealthCheckResponse::ServingStatus HealthOf(const std::shared_ptr<grpc::Channel>& channel) {
  HealthCheckResponse response;
  EXPECT_TRUE(Check(channel, response).ok());
  return response.status();
}

// A client with so much to read, which it does not, that its stream cannot end.
class DeafReader {
 public:
  explicit DeafReader(const std::string& address)
      : reader_(Connect(address)), other_(Connect(address)) {
    reader_.Send(OpenAllocate('a'));
    const uint32_t id = reader_.Receive()->opened().channel_id();
    other_.Send(OpenClaim('b', id));
    EXPECT_TRUE(other_.Receive()->has_opened());
    for (uint64_t n = 1; n <= 300; ++n) other_.Send(Post(n, std::string(66'000, 'x')));
    while (other_.ReceiveNews()->posted().number() < 300) {
    }
  }

  AttachClient& other() { return other_; }

 private:
  AttachClient reader_;
  AttachClient other_;
};

// Takes the window of a DeafReader.
constexpr char kFrames[] = "--window-frames=4096";
constexpr char kBytes[] = "--window-bytes=67108864";

class DrainTest : public RelayServerTest {
 protected:
  DrainTest() {
    config_.limits.window_frames = 4096;
    config_.limits.window_bytes = 64 << 20;
  }
};

TEST_F(DrainTest, AWithdrawnRelayOnlyLooksUnhealthy) {
  Serve();
  const auto pair = OpenPair();
  server_->Withdraw();
  EXPECT_EQ(HealthOf(channel_), HealthCheckResponse::NOT_SERVING);
  AttachClient late(channel_);
  late.Send(OpenAllocate('c'));
  EXPECT_TRUE(late.Receive()->has_opened());
  pair->a.Send(Post(1, "f"));
  EXPECT_EQ(pair->b.ReceiveNews()->message().frame(), "f");
  EXPECT_TRUE(server_->Drain());
  EXPECT_EQ(ReasonOf(late.Finish()), ErrorDetail::REASON_DRAINING);
}

// A client that knows another address must not be kept waiting by this one.
TEST_F(DrainTest, NobodyNewIsLetInWhileOldStreamsEnd) {
  Serve();
  DeafReader deaf(server_->address());
  bool ended = true;
  std::thread drain([&] { ended = server_->Drain(); });
  EXPECT_EQ(ReasonOf(deaf.other().Finish()), ErrorDetail::REASON_DRAINING);
  HealthCheckResponse response;
  grpc::Status late;
  // gRPC cancels the one that it is given while it closes.
  do {
    late = Check(Connect(server_->address()), response);
  } while (late.ok() || late.error_code() == grpc::StatusCode::CANCELLED);
  EXPECT_EQ(late.error_code(), grpc::StatusCode::UNAVAILABLE) << late.error_message();
  EXPECT_GT(server_->stream_count(), 0u);
  drain.join();
  EXPECT_TRUE(ended);  // the reactor gives up on the reader before the drain's time is over
}

// Somebody may want to know why it takes so long.
TEST_F(DrainTest, AdminAndProbesAnswerUntilStreamsHaveEnded) {
  config_.admin_listen = "127.0.0.1:0";
  config_.probe_listen = "127.0.0.1:0";
  Serve();
  InspectionClient inspection(server_->admin_address());
  const auto probes = Connect(server_->probe_address());
  DeafReader deaf(server_->address());
  std::thread drain([&] { server_->Drain(); });
  EXPECT_EQ(ReasonOf(deaf.other().Finish()), ErrorDetail::REASON_DRAINING);
  const auto relay = inspection.GetRelay();
  EXPECT_TRUE(relay.draining());
  EXPECT_EQ(relay.counts().active_channels(), 1u);
  EXPECT_EQ(HealthOf(probes), HealthCheckResponse::NOT_SERVING);
  EXPECT_GT(server_->stream_count(), 0u);
  drain.join();
  HealthCheckResponse response;
  EXPECT_EQ(Check(probes, response).error_code(), grpc::StatusCode::UNAVAILABLE);
}

// An HTTP/2 connection on which nobody answers the relay's ping that is to end it.
class SilentConnection {
 public:
  explicit SilentConnection(const std::string& address) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in relay{};
    relay.sin_family = AF_INET;
    relay.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.find(':') + 1))));
    relay.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&relay), sizeof(relay)), 0);
    const std::string preface =
        std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + std::string("\0\0\0\4\0\0\0\0\0", 9);
    EXPECT_EQ(send(fd_, preface.data(), preface.size(), 0), ssize_t(preface.size()));
    char settings[9];  // the relay has taken it when it sends its own
    EXPECT_GT(recv(fd_, settings, sizeof(settings), 0), 0);
  }
  ~SilentConnection() { close(fd_); }

 private:
  const int fd_;
};

TEST_F(DrainTest, AConnectionWithoutStreamsHoldsNothingUp) {
  config_.drain_timeout = absl::Hours(1);
  Serve();
  SilentConnection silent(server_->address());
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(server_->Drain());
  // gRPC by itself waits 20 seconds for the answer.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(15));
}

TEST_F(DrainTest, TheTimeIsKept) {
  config_.drain_timeout = absl::Milliseconds(300);
  Serve();
  DeafReader deaf(server_->address());
  EXPECT_FALSE(server_->Drain());
}

TEST(DrainProcessTest, TheDelayIsPartOfTheTime) {
  RelayProcess relay({"--listen=127.0.0.1:0", "--store=memory", kFrames, kBytes,
                      "--drain-delay=300ms", "--drain-timeout=600ms"});
  const std::string address = relay.AwaitListening();
  DeafReader deaf(address);
  relay.Signal(SIGTERM);
  ASSERT_TRUE(relay.AwaitError("not healthy any more"));
  AttachClient late(Connect(address));
  late.Send(OpenAllocate('c'));
  // Served within the delay; a machine that was too slow for that is sent away.
  const auto opened = late.Receive();
  EXPECT_TRUE(opened ? opened->has_opened() : !late.Finish().ok());
  EXPECT_EQ(relay.AwaitExit(), 0);
  EXPECT_NE(relay.error().find("some streams were cut"), std::string::npos) << relay.error();
}

TEST(DrainProcessTest, ASecondSignalCutsTheDelay) {
  RelayProcess relay(
      {"--listen=127.0.0.1:0", "--store=memory", "--drain-delay=30m", "--drain-timeout=1h"});
  const auto channel = Connect(relay.AwaitListening());
  AttachClient client(channel);
  client.Send(OpenAllocate('a'));
  ASSERT_TRUE(client.Receive()->has_opened());
  relay.Signal(SIGTERM);
  ASSERT_TRUE(relay.AwaitError("not healthy any more"));
  EXPECT_EQ(HealthOf(channel), HealthCheckResponse::NOT_SERVING);
  client.Send(Post(1, "f"));
  EXPECT_EQ(client.ReceiveNews()->posted().number(), 1u);
  relay.Signal(SIGTERM);
  EXPECT_EQ(relay.AwaitExit(), 1);
}

}  // namespace
}  // namespace wormhole::service_test
