// What a scrape of the relay says after calls that the test has made.
#include <sys/wait.h>

#include <cstdio>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "relay/monitor/testing/metrics_page.h"
#include "tests/support/attach_client.h"
#include "tests/support/http_client.h"
#include "tests/support/relay_process.h"

namespace wormhole::service_test {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using relay::MetricsPage;
using testing::RelayProcess;

struct Method {
  std::string service, name, type;

  std::string Labels() const {
    return "grpc_method=\"" + name + "\",grpc_service=\"" + service + "\",grpc_type=\"" + type +
           "\"}";
  }
  std::string Started() const { return "grpc_server_started_total{" + Labels(); }
  std::string Received() const { return "grpc_server_msg_received_total{" + Labels(); }
  std::string Sent() const { return "grpc_server_msg_sent_total{" + Labels(); }
  std::string Lasted() const { return "grpc_server_handling_seconds_count{" + Labels(); }
  std::string Handled(const std::string& code) const {
    return "grpc_server_handled_total{grpc_code=\"" + code + "\"," + Labels();
  }
  double AllHandled(const MetricsPage& page) const {
    double sum = 0;
    for (const auto& [series, value] : page.series()) {
      if (series.starts_with("grpc_server_handled_total") && series.ends_with(Labels())) {
        sum += value;
      }
    }
    return sum;
  }
};

const Method kAttach = {"wormhole.rendezvous.v1.RendezvousService", "Attach", "bidi_stream"};
const Method kCheck = {"grpc.health.v1.Health", "Check", "unary"};
const Method kWatch = {"grpc.health.v1.Health", "Watch", "server_stream"};
const Method kReflect = {"grpc.reflection.v1alpha.ServerReflection", "ServerReflectionInfo",
                         "bidi_stream"};

class MetricsTest : public ::testing::Test {
 protected:
  void Serve(std::vector<std::string> flags = {"--store=memory"}) {
    flags.insert(flags.end(), {"--listen=127.0.0.1:0", "--metrics-listen=127.0.0.1:0",
                               "--metrics-apps=example.com/test"});
    relay_ = std::make_unique<RelayProcess>(flags);
    metrics_ = relay_->AwaitLine("metrics on ");
    address_ = relay_->AwaitListening();
    ASSERT_NE(address_, "") << relay_->error();
    ASSERT_NE(metrics_, "");
    channel_ = Connect(address_);
  }

  void TearDown() override {
    relay_->Signal(SIGTERM);
    EXPECT_EQ(relay_->AwaitExit(), 0) << relay_->error();
  }

  MetricsPage Scrape() const { return MetricsPage(HttpGet(metrics_).body); }

  // The first scrape of which `done` is true; the last one when patience is over.
  template <typename Predicate>
  MetricsPage Await(Predicate done) const {
    const auto deadline = std::chrono::steady_clock::now() + testing::kPatience;
    while (true) {
      MetricsPage page = Scrape();
      if (done(page) || std::chrono::steady_clock::now() > deadline) return page;
    }
  }
  MetricsPage AwaitValue(const std::string& series, double value) const {
    return Await([&](const MetricsPage& page) { return page.Value(series) == value; });
  }
  MetricsPage AwaitHandled(const Method& method, double calls) const {
    return Await([&](const MetricsPage& page) { return method.AllHandled(page) == calls; });
  }

  grpc::StatusCode Check(const std::string& service) const {
    grpc::ClientContext context;
    HealthCheckRequest request;
    request.set_service(service);
    HealthCheckResponse response;
    return Health::NewStub(channel_)->Check(&context, request, &response).error_code();
  }

  std::unique_ptr<RelayProcess> relay_;
  std::string address_;
  std::string metrics_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(MetricsTest, AnExchangeIsCountedToTheLastMessage) {
  Serve({"--store=sqlite:" + ::testing::TempDir() + "/exchange.db"});
  int sent = 0;
  {
    AttachClient a(channel_);
    ASSERT_TRUE(a.Send(OpenAllocate('a')));
    const uint32_t id = a.Receive()->opened().channel_id();
    MetricsPage page = AwaitValue("wormhole_attached_sides{state=\"alone\"}", 1);
    EXPECT_EQ(page.Value("wormhole_attached_sides{state=\"alone\"}"), 1);
    AttachClient b(channel_);
    ASSERT_TRUE(b.Send(OpenClaim('b', id)));
    b.Receive();
    page = AwaitValue("wormhole_attached_sides{state=\"paired\"}", 2);
    EXPECT_EQ(page.Value("wormhole_attached_sides{state=\"paired\"}"), 2);
    EXPECT_EQ(page.Value("wormhole_channels{state=\"active\"}"), 1);
    EXPECT_EQ(page.Value("wormhole_streams"), 2);
    EXPECT_EQ(page.Value("wormhole_connections"), 1);
    sent = 2;
    for (uint64_t n = 1; n <= 3; ++n) ASSERT_TRUE(a.Send(Post(n, std::string(100, 'f'))));
    for (int messages = 0; messages < 3; ++sent) messages += b.Receive()->has_message();
    ASSERT_TRUE(b.Send(Ack(3)));
    ASSERT_TRUE(b.Send(Close(rendezvous::v1::MOOD_HAPPY)));
    while (b.Receive()) ++sent;
    ASSERT_TRUE(b.Finish().ok());
    ASSERT_TRUE(a.Send(Close(rendezvous::v1::MOOD_HAPPY)));
    while (a.Receive()) ++sent;
    ASSERT_TRUE(a.Finish().ok());
  }
  const MetricsPage page = AwaitHandled(kAttach, 2);
  EXPECT_EQ(page.Value(kAttach.Started()), 2);
  EXPECT_EQ(page.Value(kAttach.Received()), 5 + 3);
  EXPECT_EQ(page.Value(kAttach.Sent()), sent);
  EXPECT_EQ(page.Value(kAttach.Handled("OK")), 2);
  EXPECT_EQ(page.Value(kAttach.Lasted()), 2);
  const std::string app = "{app=\"example.com/test\"";
  EXPECT_EQ(page.Value("wormhole_allocations_total" + app + "}"), 1);
  EXPECT_EQ(page.Value("wormhole_claims_total" + app + "}"), 1);
  EXPECT_EQ(page.Value("wormhole_pairings_total" + app + "}"), 1);
  EXPECT_EQ(page.Value("wormhole_frames_total" + app + "}"), 3);
  EXPECT_EQ(page.Value("wormhole_frame_bytes_total" + app + "}"), 300);
  EXPECT_EQ(page.Value("wormhole_closed_total" + app + ",mood=\"happy\"}"), 1);
  EXPECT_EQ(page.Value("wormhole_allocations_total{app=\"\"}"), 0);
  EXPECT_EQ(page.Sum("wormhole_refused_total"), 0);
  EXPECT_EQ(page.Value("wormhole_channels{state=\"active\"}"), 0);
  EXPECT_EQ(page.Value("wormhole_channels{state=\"resting\"}"), 1);
  EXPECT_EQ(page.Value("wormhole_streams"), 0);
  // At least the allocation, the claim, the posts and the closings.
  EXPECT_GE(page.Value("wormhole_store_commit_seconds_count"), 5);
  EXPECT_GT(page.Value("wormhole_store_commit_seconds_sum"), 0);
  EXPECT_GE(page.Value("wormhole_store_batch_operations_sum"), 7);
}

TEST_F(MetricsTest, RefusalsGoByReasonAndCode) {
  Serve();
  for (int i = 0; i < 3; ++i) {
    AttachClient stranger(channel_);
    stranger.Send(OpenClaim('x', 4711));
    EXPECT_EQ(stranger.Finish().code(), absl::StatusCode::kNotFound);
  }
  AttachClient rude(channel_);
  rude.Send(Post(1, "before Open"));
  EXPECT_EQ(rude.Finish().code(), absl::StatusCode::kInvalidArgument);
  const MetricsPage page = AwaitHandled(kAttach, 4);
  EXPECT_EQ(
      page.Value(
          "wormhole_failed_claims_total{app=\"example.com/test\",reason=\"never_allocated\"}"),
      3);
  EXPECT_EQ(page.Value("wormhole_refused_total{reason=\"never_allocated\"}"), 3);
  EXPECT_EQ(page.Value("wormhole_refused_total{reason=\"malformed\"}"), 1);
  EXPECT_EQ(page.Value(kAttach.Handled("NotFound")), 3);
  EXPECT_EQ(page.Value(kAttach.Handled("InvalidArgument")), 1);
}

TEST_F(MetricsTest, CallsOfOtherServicesAreCountedAsExactly) {
  Serve();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Check(""), grpc::StatusCode::OK);
  EXPECT_EQ(Check("nobody"), grpc::StatusCode::NOT_FOUND);
  {
    grpc::ClientContext context;
    auto watch = Health::NewStub(channel_)->Watch(&context, HealthCheckRequest());
    HealthCheckResponse response;
    ASSERT_TRUE(watch->Read(&response));
    EXPECT_EQ(Scrape().Value(kWatch.Started()), 1);
    EXPECT_EQ(kWatch.AllHandled(Scrape()), 0);
    context.TryCancel();
    watch->Finish();
  }
  {
    grpc::ClientContext context;
    auto reflection =
        grpc::reflection::v1alpha::ServerReflection::NewStub(channel_)->ServerReflectionInfo(
            &context);
    grpc::reflection::v1alpha::ServerReflectionRequest request;
    request.set_list_services("");
    grpc::reflection::v1alpha::ServerReflectionResponse response;
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(reflection->Write(request));
      ASSERT_TRUE(reflection->Read(&response));
    }
    reflection->WritesDone();
    EXPECT_TRUE(reflection->Finish().ok());
  }
  const MetricsPage page = Await([](const MetricsPage& p) {
    return kCheck.AllHandled(p) == 6 && kWatch.AllHandled(p) == 1 && kReflect.AllHandled(p) == 1;
  });
  EXPECT_EQ(page.Value(kCheck.Started()), 6);
  EXPECT_EQ(page.Value(kCheck.Received()), 6);
  EXPECT_EQ(page.Value(kCheck.Sent()), 5);
  EXPECT_EQ(page.Value(kCheck.Handled("OK")), 5);
  EXPECT_EQ(page.Value(kCheck.Handled("NotFound")), 1);
  EXPECT_EQ(page.Value(kCheck.Lasted()), 6);
  EXPECT_EQ(page.Value(kWatch.Received()), 1);
  EXPECT_EQ(page.Value(kWatch.Sent()), 1);
  EXPECT_EQ(page.Value(kWatch.Handled("Canceled")), 1);
  EXPECT_EQ(page.Value(kReflect.Received()), 3);
  EXPECT_EQ(page.Value(kReflect.Sent()), 3);
  EXPECT_EQ(page.Value(kReflect.Handled("OK")), 1);
}

// Calls `method` with these bytes as its one message; the code that it ends with.
grpc::StatusCode CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                         const std::string& bytes) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  grpc::CompletionQueue queue;
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  auto call = stub.PrepareUnaryCall(&context, method, request, &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  return status.error_code();
}

// With reflection, a service of another kind, gRPC treats what it does not know in another way.
TEST_F(MetricsTest, NobodyCanMakeSeries) {
  for (const char* reflection : {"--reflection=true", "--reflection=false"}) {
    Serve({"--store=memory", reflection});
    Check("");
    CallRaw(channel_, "/grpc.health.v1.Health/Check", "\xff\xff\xff");  // makes its code's series
    AwaitHandled(kCheck, 2);
    const auto names = [](const MetricsPage& page) {
      std::vector<std::string> all;
      for (const auto& [series, value] : page.series()) all.push_back(series);
      return all;
    };
    const std::vector<std::string> before = names(Scrape());
    for (int i = 0; i < 200; ++i) {
      const std::string made_up = "made.up.Service" + std::to_string(i) + "/Method";
      EXPECT_EQ(CallRaw(channel_, "/" + made_up, ""), grpc::StatusCode::UNIMPLEMENTED);
    }
    for (const char* method :
         {"/", "//", "/etcdserverpb.KV/Range", "/grpc.health.v1.Health/Chec"}) {
      EXPECT_EQ(CallRaw(channel_, method, ""), grpc::StatusCode::UNIMPLEMENTED);
    }
    const MetricsPage page = Scrape();
    EXPECT_EQ(names(page), before);
    EXPECT_EQ(page.Sum("grpc_server_started_total"), 2);
    if (reflection == std::string("--reflection=true")) TearDown();
  }
}

TEST_F(MetricsTest, RequestsThatCannotBeReadAreHandled) {
  Serve();
  EXPECT_NE(CallRaw(channel_, "/grpc.health.v1.Health/Check", "\xff\xff"), grpc::StatusCode::OK);
  EXPECT_NE(CallRaw(channel_, "/grpc.health.v1.Health/Watch", "\xff\xff"), grpc::StatusCode::OK);
  for (const Method& method : {kCheck, kWatch}) {
    const MetricsPage page = AwaitHandled(method, 1);
    EXPECT_EQ(method.AllHandled(page), 1);
    EXPECT_EQ(page.Value(method.Received()), 1);  // as of any stream: bytes are a message
  }
}

TEST_F(MetricsTest, AStreamThatIsCutIsCanceled) {
  Serve();
  for (int i = 0; i < 20; ++i) {
    AttachClient client(channel_);
    ASSERT_TRUE(client.Send(OpenAllocate(static_cast<char>('a' + i))));
    ASSERT_TRUE(client.Receive());
    client.Cancel();
  }
  EXPECT_EQ(AwaitHandled(kAttach, 20).Value(kAttach.Handled("Canceled")), 20);
}

// A call that is cancelled at any time has begun and is over; the relay lives.
TEST_F(MetricsTest, WhatIsCancelledIsHandled) {
  // What is cancelled before it has said anything counts as ten.
  Serve({"--store=memory", "--max-stream-opens-per-minute=0"});
  constexpr int kRounds = 30;
  constexpr int kEach = 40;  // of a connection that is then cut
  for (int round = 0; round < kRounds; ++round) {
    const auto channel = Connect(address_);
    const auto stub = Health::NewStub(channel);
    std::list<AttachClient> attached;
    std::list<grpc::ClientContext> contexts;
    std::vector<std::unique_ptr<grpc::ClientReader<HealthCheckResponse>>> watches;
    for (int i = 0; i < kEach; ++i) {
      attached.emplace_back(channel);
      if (i % 4 >= 1) attached.back().Send(OpenAllocate('a'));
      if (i % 4 >= 2) attached.back().Receive();
      if (i % 4 >= 3) attached.back().HalfClose();
      watches.push_back(stub->Watch(&contexts.emplace_back(), HealthCheckRequest()));
      HealthCheckResponse response;
      if (i % 3 == 1) watches.back()->Read(&response);
      if (i % 3 == 2) contexts.back().TryCancel();
      grpc::ClientContext hurried;
      hurried.set_deadline(std::chrono::system_clock::now() + std::chrono::microseconds(300 * i));
      stub->Check(&hurried, HealthCheckRequest(), &response);
    }
    for (AttachClient& client : attached) client.Cancel();
    for (grpc::ClientContext& context : contexts) context.TryCancel();
    for (auto& watch : watches) watch->Finish();
  }
  // A call that was cancelled before it left the client has never begun here.
  const MetricsPage page = Await([](const MetricsPage& p) {
    if (p.Value("wormhole_streams") != 0 || p.Value("wormhole_connections") != 0) return false;
    for (const Method& method : {kAttach, kCheck, kWatch}) {
      if (method.AllHandled(p) != p.Value(method.Started())) return false;
    }
    return true;
  });
  for (const Method& method : {kAttach, kCheck, kWatch}) {
    EXPECT_EQ(method.AllHandled(page), page.Value(method.Started())) << method.name;
    EXPECT_EQ(page.Value(method.Lasted()), page.Value(method.Started())) << method.name;
    EXPECT_GT(page.Value(method.Started()), kRounds * kEach / 4) << method.name;
  }
  EXPECT_EQ(page.Value("wormhole_connections"), 0);
  EXPECT_EQ(Check(""), grpc::StatusCode::OK);
}

TEST_F(MetricsTest, ConnectionsComeAndGo) {
  Serve({"--store=memory", "--handshake-timeout=1m"});  // they say nothing
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<TcpClient>> clients;
    for (int i = 0; i < 50; ++i) clients.push_back(std::make_unique<TcpClient>(address_));
    EXPECT_EQ(AwaitValue("wormhole_connections", 50).Value("wormhole_connections"), 50);
    clients.resize(20);
    EXPECT_EQ(AwaitValue("wormhole_connections", 20).Value("wormhole_connections"), 20);
  }
}

TEST_F(MetricsTest, ADrainingRelayIsStillScraped) {
  Serve({"--store=memory", "--drain-delay=30m", "--drain-timeout=1h"});
  EXPECT_EQ(Scrape().Value("wormhole_draining"), 0);
  relay_->Signal(SIGTERM);
  EXPECT_EQ(AwaitValue("wormhole_draining", 1).Value("wormhole_draining"), 1);
  relay_->Signal(SIGKILL);
  EXPECT_EQ(relay_->AwaitExit(), 128 + SIGKILL);
  Serve();  // for TearDown
}

TEST_F(MetricsTest, PromtoolFindsNothingToComplainOf) {
  if (std::system("promtool --version >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "there is no promtool (Debian package prometheus)";
  }
  Serve();
  EXPECT_EQ(Check(""), grpc::StatusCode::OK);
  AwaitHandled(kCheck, 1);
  testing::ChildProcess promtool(
      {.arguments = {"/usr/bin/promtool", "check", "metrics"}, .input = HttpGet(metrics_).body});
  EXPECT_EQ(promtool.WaitForExit(), 0) << promtool.out() << promtool.err();
  EXPECT_EQ(promtool.out() + promtool.err(), "");
}

}  // namespace
}  // namespace wormhole::service_test
