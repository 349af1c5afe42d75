// The probe port and the admin port under whoever reaches them: an operator still gets in, and
// nobody is held up elsewhere.
#include <signal.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/impl/codegen/client_unary_call.h"
#include "grpcpp/impl/codegen/rpc_method.h"
#include "gtest/gtest.h"
#include "relay/admission/admission.h"
#include "relay/grpc/call_limit.h"
#include "relay/health/health_service.h"
#include "relay/inspection/inspection_service.h"
#include "relay/monitor/testing/metrics_page.h"
#include "relay/server/grpc_port.h"
#include "relay/server/operator_limits.h"
#include "tests/support/attach_client.h"
#include "tests/support/http2_frames.h"
#include "tests/support/http_client.h"
#include "tests/support/raw_socket.h"
#include "tests/support/relay_process.h"

namespace wormhole::service_test {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using relay::MetricsPage;
using ::testing::HasSubstr;
using testing::RawSocket;
using testing::RelayProcess;
namespace http2 = testing::http2;

constexpr int kMany = 256;
// What a kubelet waits for an answer. With the sanitizer only whether one comes is of interest; a
// silent connection is there for longer.
#ifdef __SANITIZE_ADDRESS__
constexpr std::chrono::seconds kPrompt(8);
#else
constexpr std::chrono::seconds kPrompt(1);
#endif

constexpr char kCheck[] = "/grpc.health.v1.Health/Check";
constexpr char kInspection[] = "/wormhole.rendezvous.v1.InspectionService/GetRelay";
constexpr char kNobodys[] = "/nobodys.Service/Method";
constexpr char kWatchEvents[] = "/wormhole.rendezvous.v1.InspectionService/WatchEvents";
// Says the relay of a call that is one too many.
constexpr char kGivesWay[] = "the oldest gives way to the newest";

constexpr uint32_t kAnyStream = 0;

// The head, or the last one, that comes on the stream; reads what comes before. Empty: none comes.
std::string AwaitHead(RawSocket& client, uint32_t stream, bool last) {
  while (true) {
    const std::string frame = client.Receive(9);
    if (frame.size() < 9) return "";
    const auto byte = [&](size_t at) { return static_cast<uint8_t>(frame[at]); };
    std::string head = client.Receive((size_t{byte(0)} << 16) + (size_t{byte(1)} << 8) + byte(2));
    const bool ends = (byte(4) & http2::kEndStream) != 0;
    const bool meant = stream == kAnyStream || byte(8) == stream;
    if (frame[3] == http2::kHeaders && meant && ends == last) return head;
  }
}

// On a connection of its own each time. A machine that stands still for a while is not what is
// tested: the quickest of a few counts.
bool IsHealthy(const std::string& address) {
  constexpr int kTries = 5;
  for (int tries = 0; tries < kTries; ++tries) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPrompt);
    HealthCheckResponse response;
    const grpc::Status status =
        Health::NewStub(Connect(address))->Check(&context, HealthCheckRequest(), &response);
    if (status.ok() && response.status() == HealthCheckResponse::SERVING) return true;
  }
  return false;
}

// How a method is answered that nobody has.
grpc::Status CallNobody(const std::shared_ptr<grpc::Channel>& channel) {
  const grpc::internal::RpcMethod method(kNobodys, grpc::internal::RpcMethod::NORMAL_RPC, channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  HealthCheckResponse response;
  return grpc::internal::BlockingUnaryCall(channel.get(), method, &context, HealthCheckRequest(),
                                           &response);
}

// One Health.Watch.
class WatchClient {
 public:
  explicit WatchClient(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(Health::NewStub(channel)) {
    context_.set_deadline(std::chrono::system_clock::now() + kPatience);
    reader_ = stub_->Watch(&context_, HealthCheckRequest());
  }
  ~WatchClient() {
    context_.TryCancel();
    End();
  }

  bool Read() {
    HealthCheckResponse response;
    return reader_->Read(&response);
  }
  // Waits for its end: how it has ended.
  grpc::StatusCode End() {
    if (reader_ == nullptr) return grpc::StatusCode::OK;
    while (Read()) {
    }
    return std::exchange(reader_, nullptr)->Finish().error_code();
  }

 private:
  const std::unique_ptr<Health::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<HealthCheckResponse>> reader_;
};

class AdminPortTest : public ::testing::Test {
 protected:
  void Serve(std::vector<std::string> runner = {}, const std::vector<std::string>& more = {}) {
    std::vector<std::string> flags = {"--listen=127.0.0.1:0", "--store=memory",
                                      "--admin-listen=127.0.0.1:0", "--probe-listen=127.0.0.1:0",
                                      "--metrics-listen=127.0.0.1:0"};
    flags.insert(flags.end(), more.begin(), more.end());
    relay_ = std::make_unique<RelayProcess>(
        RelayProcess::Options{.flags = std::move(flags), .runner = std::move(runner)});
    public_ = relay_->AwaitListening();
    admin_ = relay_->AwaitLine("admin on ");
    probes_ = relay_->AwaitLine("probes on ");
    metrics_ = relay_->AwaitLine("metrics on ");
    ASSERT_NE(metrics_, "") << relay_->error();
  }

  void TearDown() override {
    held_.clear();
    relay_->Signal(SIGTERM);
    EXPECT_EQ(relay_->AwaitExit(), 0) << relay_->error();
  }

  void Hold(int count, const std::string& at) {
    for (int i = 0; i < count; ++i) held_.push_back(RawSocket::Connect(at));
  }

  void ExpectAllServe() {
    EXPECT_TRUE(IsHealthy(probes_));
    EXPECT_TRUE(IsHealthy(admin_));
    EXPECT_TRUE(IsHealthy(public_));
    EXPECT_EQ(HttpGet(metrics_).status, 200);
    AttachClient a(Connect(public_));
    ASSERT_TRUE(a.Send(OpenAllocate('a')));
    const auto opened = a.Receive();
    EXPECT_TRUE(opened && opened->has_opened());
  }

  double Sum(const std::string& family) const {
    return MetricsPage(HttpGet(metrics_).body).Sum(family);
  }

  std::unique_ptr<RelayProcess> relay_;
  std::string public_;
  std::string admin_;
  std::string probes_;
  std::string metrics_;
  std::vector<RawSocket> held_;
};

class OperatorPortsTest : public AdminPortTest, public ::testing::WithParamInterface<const char*> {
 protected:
  // Of the port under attack.
  const std::string& address() const {
    return std::string(GetParam()) == "probes" ? probes_ : admin_;
  }
};

TEST_P(OperatorPortsTest, ManyWhoSayNothingHoldUpNobody) {
  Serve();
  Hold(kMany, address());
  ExpectAllServe();
  EXPECT_TRUE(held_.front().AwaitClosed());
}

TEST_P(OperatorPortsTest, ManyWhoTrickleHoldUpNobody) {
  Serve();
  Hold(kMany, address());
  for (const char byte : std::string("PRI * HTTP/2.0")) {
    for (RawSocket& one : held_) one.Send(std::string(1, byte));
    EXPECT_TRUE(IsHealthy(address()));
  }
  ExpectAllServe();
}

// What metrics and alerts say of clients is of the public port.
TEST_P(OperatorPortsTest, WhoComesThereIsNoClient) {
  Serve();
  Hold(kMany, address());
  EXPECT_TRUE(IsHealthy(address()));
  EXPECT_EQ(Sum("wormhole_connections_accepted_total"), 0);
  EXPECT_EQ(Sum("wormhole_connections_refused_total"), 0);
  EXPECT_EQ(Sum("wormhole_connections"), 0);
}

// CVE-2023-4785: with gRPC's own accept loop no connection was accepted ever again.
TEST_P(OperatorPortsTest, OutOfDescriptorsAndServedAgainWithinASecond) {
  Serve({"/usr/bin/prlimit", "--nofile=64"});
  Hold(150, address());
  held_.clear();
  EXPECT_TRUE(IsHealthy(address()));
  ExpectAllServe();
}

// Clients leave the last ones, and operators have them for a moment each.
TEST_P(OperatorPortsTest, ClientsWithAllDescriptorsKeepOutNoOperator) {
  Serve({"/usr/bin/prlimit", "--nofile=64"});
  Hold(150, public_);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(IsHealthy(address())) << i;
  Hold(20, address());
  EXPECT_TRUE(IsHealthy(address()));
}

TEST_P(OperatorPortsTest, OfThoseWhoWatchHealthTheOldestGivesWay) {
  Serve();
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  std::vector<std::unique_ptr<WatchClient>> watches;
  for (size_t i = 0; i <= relay::kOperatorHealthCalls; ++i) {
    if (i % relay::kOperatorStreams == 0) {
      grpc::ChannelArguments alone;
      alone.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      channels.push_back(
          grpc::CreateCustomChannel(address(), grpc::InsecureChannelCredentials(), alone));
    }
    watches.push_back(std::make_unique<WatchClient>(channels.back()));
    EXPECT_TRUE(watches.back()->Read()) << i;
  }
  EXPECT_EQ(watches.front()->End(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(IsHealthy(address()));
}

// Who lets nothing come has answers waiting for him; but only so many.
TEST_F(AdminPortTest, OfAnswersThatNobodyReadsTheOldestGivesWay) {
  Serve();
  Hold(3, admin_);
  uint32_t calls = 0;
  for (RawSocket& one : held_) {
    one.Send(http2::Hello());
    for (uint32_t stream = 1; stream < 2 * relay::kOperatorStreams; stream += 2) {
      EXPECT_TRUE(one.Send(http2::Head(stream, kInspection) + http2::Empty(stream)));
      // In their order.
      AwaitHead(one, stream, false);
      if (++calls > relay::InspectionService::kMaxAnswers) break;
    }
  }
  EXPECT_NE(AwaitHead(held_.front(), 1, true), "");
}

// All on one connection, which may have so many since it does not acknowledge gRPC's limit. gRPC
// shows them in an order of its own, so nobody knows which of them is the oldest.
TEST_P(OperatorPortsTest, OfCallsOfHealthThatSayNothingTheOldestGivesWay) {
  Serve();
  Hold(1, address());
  std::string calls = http2::Hello();
  for (uint32_t i = 0; i <= relay::kOperatorHealthCalls; ++i)
    calls += http2::Head(2 * i + 1, kCheck);
  EXPECT_TRUE(held_.front().Send(calls));
  // Else a call that says nothing ends as well, but later, and with another message.
  EXPECT_THAT(AwaitHead(held_.front(), kAnyStream, true), HasSubstr(kGivesWay));
  // As many are left as there may be, so the check takes the place of one.
  EXPECT_TRUE(IsHealthy(address()));
  EXPECT_THAT(AwaitHead(held_.front(), kAnyStream, true), HasSubstr(kGivesWay));
}

// As above, with methods of which gRPC's generator would show a call only with its request.
TEST_F(AdminPortTest, OfCallsOfInspectionThatSayNothingTheOldestGivesWay) {
  Serve();
  for (const std::string method : {kInspection, kWatchEvents}) {
    RawSocket& client = held_.emplace_back(RawSocket::Connect(admin_));
    std::string calls = http2::Hello();
    for (uint32_t i = 0; i <= relay::InspectionService::kMaxAnswers; ++i) {
      calls += http2::Head(2 * i + 1, method);
    }
    EXPECT_TRUE(client.Send(calls));
    EXPECT_THAT(AwaitHead(client, kAnyStream, true), HasSubstr(kGivesWay)) << method;
  }
  ExpectAllServe();
}

// At both ports apart. Calls of methods that nobody has count ten.
TEST_P(OperatorPortsTest, OneCallTooManyInAMinuteIsRefused) {
  Serve();
  const std::shared_ptr<grpc::Channel> channel = Connect(address());
  uint32_t answered = 0;
  grpc::Status status;
  while ((status = CallNobody(channel)).error_code() == grpc::StatusCode::UNIMPLEMENTED) ++answered;
  EXPECT_GE(answered, relay::kOperatorCallsPerMinute / relay::Admission::kAbandonedFactor);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr("call again in"));
  // So that it takes seconds until another one passes; fewer than would cut this client off.
  // When this client stands still for longer, one passes after all.
  grpc::StatusCode checked = grpc::StatusCode::OK;
  for (int round = 0; round < 10 && checked == grpc::StatusCode::OK; ++round) {
    for (int i = 0; i < 50; ++i) CallNobody(channel);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    HealthCheckResponse response;
    checked =
        Health::NewStub(channel)->Check(&context, HealthCheckRequest(), &response).error_code();
  }
  EXPECT_EQ(checked, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(IsHealthy(std::string(GetParam()) == "probes" ? admin_ : probes_));
  EXPECT_TRUE(IsHealthy(public_));
}

INSTANTIATE_TEST_SUITE_P(Each, OperatorPortsTest, ::testing::Values("probes", "admin"),
                         [](const auto& info) { return std::string(info.param); });

// A port with health, and nothing else.
absl::StatusOr<std::unique_ptr<relay::GrpcPort>> OpenHealth(
    relay::HealthService& health, absl::Duration age = absl::InfiniteDuration()) {
  return relay::GrpcPort::Open({.flag = "--probe-listen",
                                .listen = "127.0.0.1:0",
                                .credentials = grpc::InsecureServerCredentials(),
                                .services = {&health},
                                .max_connection_age = age,
                                .accept = relay::OperatorRules()});
}

relay::HealthService::Services Alive() {
  return {{"", [] { return true; }}};
}

// The connection is not idle, and has shaken hands.
TEST(OperatorPortAgeTest, HalfARequestIsOverInTheEnd) {
  relay::HealthService health(Alive());
  const auto port = OpenHealth(health, absl::Milliseconds(300));
  ASSERT_TRUE(port.ok()) << port.status();
  RawSocket client = RawSocket::Connect((*port)->address());
  EXPECT_TRUE(client.Send(http2::Hello() + http2::Head(1, kCheck)));
  EXPECT_TRUE(client.AwaitClosed());
}

TEST(CallLimitTest, TheOldestCallGivesWayAndEachHasADeadline) {
  relay::CallLimit limit(2, absl::Minutes(1));
  relay::HealthService health(Alive(), nullptr, &limit);
  const auto port = OpenHealth(health);
  ASSERT_TRUE(port.ok()) << port.status();
  std::vector<std::unique_ptr<WatchClient>> watches;
  for (int i = 0; i < 3; ++i) {
    watches.push_back(std::make_unique<WatchClient>(Connect((*port)->address())));
    EXPECT_TRUE(watches.back()->Read());
  }
  EXPECT_EQ(watches[0]->End(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  limit.CutLate(absl::InfiniteDuration());
  EXPECT_EQ(watches[1]->End(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(watches[2]->End(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

}  // namespace
}  // namespace wormhole::service_test
