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
#include "tests/support/attach_client.h"
#include "tests/support/http2_frames.h"
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

constexpr uint32_t kCalls = 60'000;
// What the README promises. At the public port one address may hold 3,000 streams for a while,
// which take half of it.
constexpr int kMostMebibytes = 256;
// At a port where nobody may hold so many.
constexpr int kFewMebibytes = 128;

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

  void ExpectAtMost(int most, const std::string& after) const {
    const int mebibytes = Mebibytes();
    EXPECT_GT(mebibytes, 0);
#ifndef __SANITIZE_ADDRESS__  // whose own memory is no news
    EXPECT_LE(mebibytes, most) << after;
#endif
    std::cout << after << ": " << mebibytes << " MiB\n";
  }

  static void ExpectServes(const std::string& address) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    grpc::health::v1::HealthCheckResponse response;
    const grpc::Status status =
        grpc::health::v1::Health::NewStub(Connect(address))->Check(&context, {}, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }

  // One connection after another, of which the client reads nothing, until he is not let in.
  static void Flood(const std::string& address, const std::string& from,
                    const std::string& method) {
    // Each of them is cut off; the third time for a minute.
    constexpr int kTimes = 4;
    for (int times = 0; times < kTimes; ++times) {
      RawSocket client = RawSocket::Connect(address, from);
      uint32_t calls = 0;
      bool open = client.Send(http2::Hello());
      for (; open && calls < kCalls; ++calls)
        open = client.Send(http2::Head(2 * calls + 1, method));
      EXPECT_TRUE(client.AwaitClosed()) << method;
      if (!open && calls <= 1) return;
    }
    EXPECT_TRUE(RawSocket::Connect(address, from).AwaitReset()) << method;
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
    Flood(admin_, absl::StrCat("127.0.0.", host++), method);
    ExpectAtMost(kFewMebibytes, method);
    ExpectServes(admin_);
    ExpectServes(public_);
  }
}

// What is unread of a connection when its client has closed it is no more than two reads of it;
// hundreds of these wait when gRPC has too many calls in hand.
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
      clients.push_back(RawSocket::Connect(public_, absl::StrCat("127.0.1.", i + 1)));
    }
    for (RawSocket& client : clients) client.Send(streams);
  }
  ExpectServes(public_);
  ExpectAtMost(kFewMebibytes, "40 addresses");
}

}  // namespace
}  // namespace wormhole::service_test
