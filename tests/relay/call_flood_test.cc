// Calls without end, faster than the relay can refuse them. gRPC 1.51 begins what a connection has
// sent before it shows the first call of it, and 40 KB of each stay until it pauses: 60,000 of them
// took a gigabyte and five seconds.
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "relay/monitor/testing/metrics_page.h"
#include "tests/support/attach_client.h"
#include "tests/support/http2_frames.h"
#include "tests/support/http_client.h"
#include "tests/support/raw_socket.h"
#include "tests/support/relay_process.h"

namespace wormhole::service_test {
namespace {

using testing::RawSocket;
using testing::RelayProcess;
namespace http2 = testing::http2;

constexpr char kAttach[] = "/wormhole.rendezvous.v1.RendezvousService/Attach";
constexpr char kCheck[] = "/grpc.health.v1.Health/Check";
constexpr char kWatchHealth[] = "/grpc.health.v1.Health/Watch";
constexpr char kReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
constexpr char kNobodys[] = "/nobodys.Service/Method";
constexpr char kInspection[] = "/wormhole.rendezvous.v1.InspectionService/GetRelay";
constexpr char kWatchEvents[] = "/wormhole.rendezvous.v1.InspectionService/WatchEvents";
constexpr char kChannelz[] = "/grpc.channelz.v1.Channelz/GetServers";

#ifdef __SANITIZE_ADDRESS__  // what they take is not judged there
constexpr uint32_t kCalls = 10'000;
#else
constexpr uint32_t kCalls = 60'000;
#endif
// What the README promises. At the public port one address may hold 3,000 streams for a while,
// which take half of it.
constexpr int kMostMebibytes = 256;
// At a port where nobody may hold so many.
constexpr int kFewMebibytes = 128;

double Metric(const std::string& metrics, const std::string& family) {
  return relay::MetricsPage(HttpGet(metrics).body).Sum(family);
}

class CallFloodTest : public ::testing::Test {
 protected:
  CallFloodTest()
      : relay_({"--listen=127.0.0.1:0", "--store=memory", "--admin-listen=127.0.0.1:0",
                "--admin-channelz"}),
        public_(relay_.AwaitListening()),
        admin_(relay_.AwaitLine("admin on ")) {}

  ~CallFloodTest() override { EXPECT_EQ(relay_.Stop(), 0) << relay_.error(); }

  // Of the process, at its peak.
  int Mebibytes() const {
    std::ifstream status(absl::StrCat("/proc/", relay_.pid(), "/status"));
    std::string word;
    int kibibytes = 0;
    while (status >> word) {
      if (word == "VmHWM:") status >> kibibytes;
    }
    return kibibytes >> 10;
  }

  void ExpectAtMost([[maybe_unused]] int most, const std::string& after) const {
    const int mebibytes = Mebibytes();
    EXPECT_GT(mebibytes, 0);
#ifndef __SANITIZE_ADDRESS__  // whose own memory is no news
    EXPECT_LE(mebibytes, most) << after;
#endif
    std::cout << after << ": " << mebibytes << " MiB\n";
  }

  // The last calls of a flood may still be shown, to which a check gives way.
  static void ExpectServes(const std::string& address) {
    constexpr int kTries = 5;
    grpc::Status status;
    for (int tries = 0; tries == 0 || (tries < kTries && !status.ok()); ++tries) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + kPatience);
      grpc::health::v1::HealthCheckResponse response;
      status = grpc::health::v1::Health::NewStub(Connect(address))->Check(&context, {}, &response);
    }
    EXPECT_TRUE(status.ok()) << status.error_message();
  }

  // Of a client that reads nothing, and is cut off in the end.
  static void Flood(const std::string& address, const std::string& from,
                    const std::string& method) {
    std::string calls = http2::Hello();
    for (uint32_t i = 0; i < kCalls; ++i) calls += http2::Head(2 * i + 1, method);
    RawSocket client = RawSocket::Connect(address, from);
    client.Send(calls);
    EXPECT_TRUE(client.AwaitClosed()) << method;
  }

  RelayProcess relay_;
  const std::string public_;
  const std::string admin_;
};

TEST_F(CallFloodTest, AtThePublicPort) {
  int host = 10;
  for (const std::string method : {kAttach, kCheck, kWatchHealth, kReflection, kNobodys}) {
    Flood(public_, absl::StrCat("127.0.0.", host++), method);
    ExpectAtMost(kMostMebibytes, method);
    ExpectServes(public_);
  }
}

TEST_F(CallFloodTest, AtTheAdminPort) {
  int host = 10;
  for (const std::string method :
       {kInspection, kWatchEvents, kCheck, kWatchHealth, kReflection, kChannelz, kNobodys}) {
    const std::string from = absl::StrCat("127.0.0.", host++);
    for (int i = 0; i < 5; ++i) Flood(admin_, from, method);
    EXPECT_TRUE(RawSocket::Connect(admin_, from).AwaitReset()) << method;  // may not come any more
    ExpectAtMost(kFewMebibytes, method);
    ExpectServes(admin_);
    ExpectServes(public_);
  }
}

// Hundreds of connections whose clients have closed them wait with what is unread of them.
TEST_F(CallFloodTest, OfManyAddressesThatResetTheirStreamsAndLeave) {
  constexpr int kAddresses = 40;
  constexpr uint32_t kStreams = 200;
  std::string streams = http2::Hello();
  for (uint32_t i = 0; i < kStreams; ++i) {
    streams += http2::Head(2 * i + 1, kAttach) + http2::Reset(2 * i + 1);
  }
  for (int round = 0; round < 12; ++round) {
    std::vector<RawSocket> clients;
    for (int i = 0; i < kAddresses; ++i) {
      clients.push_back(RawSocket::Connect(public_, absl::StrCat("127.0.", round + 1, ".", i + 1)));
    }
    for (RawSocket& client : clients) EXPECT_TRUE(client.Send(streams)) << round;
  }
  ExpectServes(public_);
  ExpectAtMost(kMostMebibytes, "40 addresses");
}

// A program has all of its streams on one connection, and comes back with all of them at once when
// a relay was restarted. The relay answers the checks meanwhile, so that gRPC may begin all of the
// streams before it shows one.
TEST(CallBurstTest, AThousandStreamsMayComeAtOnce) {
  constexpr uint32_t kChecks = 100;
  constexpr uint32_t kStreams = 1'300;
  std::string streams = http2::Hello();
  uint32_t number = 1;
  for (uint32_t i = 0; i < kChecks; ++i, number += 2) {
    streams += http2::Head(number, kCheck) + http2::Empty(number);
  }
  for (uint32_t i = 0; i < kStreams; ++i, number += 2) streams += http2::Head(number, kAttach);
  for (int round = 0; round < 8; ++round) {
    RelayProcess relay({"--listen=127.0.0.1:0", "--store=memory", "--metrics-listen=127.0.0.1:0"});
    const std::string address = relay.AwaitListening();
    const std::string metrics = relay.AwaitLine("metrics on ");
    RawSocket client = RawSocket::Connect(address);
    EXPECT_TRUE(client.Send(streams));
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (Metric(metrics, "wormhole_streams") < kStreams) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << round;
    }
    EXPECT_EQ(Metric(metrics, "wormhole_connections_flooding_total"), 0) << round;
  }
}

}  // namespace
}  // namespace wormhole::service_test
