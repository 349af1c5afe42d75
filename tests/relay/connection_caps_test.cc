// The program's public port under more connections than it takes: it refuses them, and serves as
// before once they are gone.
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "relay/monitor/testing/metrics_page.h"
#include "tests/support/attach_client.h"
#include "tests/support/http_client.h"
#include "tests/support/raw_socket.h"
#include "tests/support/relay_process.h"
#include "tests/support/temp_folder.h"

namespace wormhole::service_test {
namespace {

using relay::MetricsPage;
using testing::RawSocket;
using testing::RelayProcess;

// A connection to a path that says nothing.
class UnixSocket {
 public:
  explicit UnixSocket(const std::string& path) : socket_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un to = {};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof(to.sun_path) - 1);
    EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0) << path;
  }
  ~UnixSocket() { close(socket_); }
  UnixSocket(const UnixSocket&) = delete;
  UnixSocket& operator=(const UnixSocket&) = delete;

  // gRPC's settings come first if it was let in, and it is then held for longer.
  bool AwaitClosed() const {
    pollfd readable = {.fd = socket_, .events = POLLIN, .revents = 0};
    const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(testing::kPatience);
    char byte = 0;
    return poll(&readable, 1, static_cast<int>(most.count())) == 1 && read(socket_, &byte, 1) <= 0;
  }

 private:
  const int socket_;
};

class ConnectionCapsTest : public ::testing::Test {
 protected:
  void Serve(std::vector<std::string> flags, std::vector<std::string> runner = {}) {
    // The first of two flags would be refused, so a test gives --listen or has this one.
    if (flags.empty() || !flags.front().starts_with("--listen=")) {
      flags.emplace_back("--listen=127.0.0.1:0");
    }
    flags.insert(flags.end(), {"--store=memory", "--metrics-listen=127.0.0.1:0"});
    relay_ = std::make_unique<RelayProcess>(
        RelayProcess::Options{.flags = std::move(flags), .runner = std::move(runner)});
    address_ = relay_->AwaitListening();
    metrics_ = relay_->AwaitLine("metrics on ");
    ASSERT_NE(metrics_, "") << relay_->error();
  }

  void TearDown() override {
    held_.clear();
    streams_.clear();
    relay_->Signal(SIGTERM);
    EXPECT_EQ(relay_->AwaitExit(), 0) << relay_->error();
  }

  void Hold(int count) {
    for (int i = 0; i < count; ++i) held_.push_back(RawSocket::Connect(address_));
  }
  // Connections with a stream each, which give way to nobody.
  void HoldStreams(int count) {
    for (int i = 0; i < count; ++i) {
      streams_.push_back(std::make_unique<AttachClient>(
          Connect(address_), std::map<std::string, std::string>(), std::chrono::minutes(5)));
      // Each a side of its own: one that comes again supersedes itself.
      ASSERT_TRUE(streams_.back()->Send(OpenAllocate(static_cast<char>('c' + i))));
      const auto opened = streams_.back()->Receive();
      ASSERT_TRUE(opened && opened->has_opened());
    }
  }

  double Value(const std::string& series) const {
    return MetricsPage(HttpGet(metrics_).body).Value(series);
  }
  double AwaitAtLeast(const std::string& series, double value) const {
    const auto deadline = std::chrono::steady_clock::now() + testing::kPatience;
    while (true) {
      const double now = Value(series);
      if (now >= value || std::chrono::steady_clock::now() > deadline) return now;
    }
  }

  // For what goes up and down: an exchange that is over may still count.
  double AwaitIs(const std::string& series, double value) const {
    const auto deadline = std::chrono::steady_clock::now() + testing::kPatience;
    while (true) {
      const double now = Value(series);
      if (now == value || std::chrono::steady_clock::now() > deadline) return now;
    }
  }

  // How long it takes until somebody new is served.
  std::chrono::steady_clock::duration AwaitServed() const {
    const auto began = std::chrono::steady_clock::now();
    auto now = began;
    while (!Served() && now - began < testing::kPatience) now = std::chrono::steady_clock::now();
    return now - began;
  }
  // Whether the relay answers HTTP/2.
  bool Served() const {
    RawSocket client = RawSocket::Connect(address_);
    const std::string settings("\0\0\0\x04\0\0\0\0\0", 9);
    return client.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings) &&
           client.Receive(9).size() == 9;
  }

  // Frames both ways, on two connections of their own.
  void ExpectExchange() {
    AttachClient a(Connect(address_));
    ASSERT_TRUE(a.Send(OpenAllocate('a')));
    const auto opened = a.Receive();
    ASSERT_TRUE(opened && opened->has_opened());
    AttachClient b(Connect(address_));
    ASSERT_TRUE(b.Send(OpenClaim('b', opened->opened().channel_id())));
    ASSERT_TRUE(a.Send(Post(1, "from a")));
    ASSERT_TRUE(b.Send(Post(1, "from b")));
    EXPECT_EQ(AwaitMessage(a), "from b");
    EXPECT_EQ(AwaitMessage(b), "from a");
  }

  static std::string AwaitMessage(AttachClient& client) {
    while (const auto response = client.Receive()) {
      if (response->has_message()) return response->message().frame();
    }
    return "none";
  }

  std::unique_ptr<RelayProcess> relay_;
  std::string address_;
  std::string metrics_;
  std::vector<RawSocket> held_;
  std::vector<std::unique_ptr<AttachClient>> streams_;
};

// CVE-2023-4785: with gRPC's own accept loop no connection was accepted ever again.
TEST_F(ConnectionCapsTest, OutOfDescriptorsAndServedAgainWithinASecond) {
  Serve({}, {"/usr/bin/prlimit", "--nofile=64"});
  const std::string refused = "wormhole_connections_refused_total{reason=\"descriptors\"}";
  // A machine that stands still for a while is not what is tested: the quickest of a few counts.
  auto quickest = std::chrono::steady_clock::duration::max();
  for (int round = 1; round <= 5 && quickest >= std::chrono::seconds(1); ++round) {
    Hold(150);
    EXPECT_GE(AwaitAtLeast(refused, 80 * round), 80 * round);
    EXPECT_GE(Value("wormhole_connections_accepted_total{of=\"client\"}"), 20);
    held_.clear();
    quickest = std::min<std::chrono::steady_clock::duration>(quickest, AwaitServed());
  }
  EXPECT_LT(quickest, std::chrono::seconds(1));
  ExpectExchange();
}

TEST_F(ConnectionCapsTest, WhoStopsHalfWayThroughTheHandshakeIsEndedInTime) {
  Serve({"--handshake-timeout=1s"});
  const auto began = std::chrono::steady_clock::now();
  RawSocket silent = RawSocket::Connect(address_);
  RawSocket half = RawSocket::Connect(address_);
  ASSERT_TRUE(half.Send("PRI * HTTP/2.0\r\n"));
  EXPECT_TRUE(silent.AwaitClosed());
  EXPECT_TRUE(half.AwaitClosed());
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(30));
  ExpectExchange();
}

// What people behind one address (a campus, a carrier's NAT) have by default.
TEST_F(ConnectionCapsTest, AThousandOfOneAddressLeaveRoomForAnExchange) {
  Serve({});
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  Hold(1000);
  ExpectExchange();
  EXPECT_GE(Value("wormhole_connections_accepted_total{of=\"client\"}"), 1002);
  EXPECT_EQ(MetricsPage(HttpGet(metrics_).body).Sum("wormhole_connections_refused_total"), 0);
}

TEST_F(ConnectionCapsTest, BeyondAnAddressesCapAreResetUntilOthersLeave) {
  Serve({"--max-connections-per-address=8"});
  Hold(8);
  EXPECT_TRUE(RawSocket::Connect(address_).AwaitReset());
  EXPECT_EQ(AwaitAtLeast("wormhole_connections_refused_total{reason=\"address\"}", 1), 1);
  held_.clear();
  AwaitServed();
  ExpectExchange();
}

TEST_F(ConnectionCapsTest, BeyondTheWholeAreResetUntilOthersLeave) {
  Serve({"--max-connections=8", "--max-connections-per-address=100"});
  HoldStreams(8);
  EXPECT_TRUE(RawSocket::Connect(address_).AwaitReset());
  EXPECT_EQ(AwaitAtLeast("wormhole_connections_refused_total{reason=\"all\"}", 1), 1);
  streams_.clear();
  AwaitServed();
  ExpectExchange();
}

// For minutes nobody else would get in. They come back as fast as they are ended.
TEST_F(ConnectionCapsTest, WhoHoldsAllPlacesAndSaysNothingKeepsOutNobody) {
  Serve({"--max-connections=8", "--max-connections-per-address=100", "--handshake-timeout=1s"});
  HoldStreams(2);
  Hold(6);
  for (int i = 0; i < 3; ++i) {
    ExpectExchange();
    Hold(4);
  }
  for (const auto& stream : streams_) EXPECT_TRUE(stream->Send(Post(1, "still there")));
  EXPECT_EQ(AwaitIs("wormhole_streams", 2), 2);
}

TEST_F(ConnectionCapsTest, APathHasTheCapInAllAndNoneOnAnAddress) {
  const testing::TempFolder folder("/tmp");  // short, as a socket's path has to be
  Serve({"--listen=unix:" + folder.path() + "/relay", "--max-connections=4",
         "--max-connections-per-address=2"});
  std::vector<std::unique_ptr<UnixSocket>> held;
  for (int i = 0; i < 4; ++i)
    held.push_back(std::make_unique<UnixSocket>(folder.path() + "/relay"));
  const std::string accepted = "wormhole_connections_accepted_total{of=\"client\"}";
  EXPECT_EQ(AwaitAtLeast(accepted, 4), 4);
  EXPECT_EQ(Value("wormhole_connections"), 4);
  EXPECT_TRUE(UnixSocket(folder.path() + "/relay").AwaitClosed());
  EXPECT_EQ(AwaitAtLeast("wormhole_connections_refused_total{reason=\"all\"}", 1), 1);
  held.clear();
  ExpectExchange();
}

// They have no address, and are not one.
TEST_F(ConnectionCapsTest, APathIsHeldToNoRateOfAnAddress) {
  const testing::TempFolder folder("/tmp");  // short, as a socket's path has to be
  Serve({"--listen=unix:" + folder.path() + "/relay", "--max-connections-per-minute=2",
         "--max-stream-opens-per-minute=2"});
  for (int i = 0; i < 4; ++i) ExpectExchange();
  EXPECT_GE(Value("wormhole_connections_accepted_total{of=\"client\"}"), 8);
  EXPECT_EQ(MetricsPage(HttpGet(metrics_).body).Sum("wormhole_connections_refused_total"), 0);
}

// Also without Prometheus an operator hears of it, and what can be done.
TEST_F(ConnectionCapsTest, TheLogSaysThatClientsAreRefused) {
  Serve({"--max-connections=8", "--max-connections-per-address=100"});
  HoldStreams(8);
  EXPECT_TRUE(RawSocket::Connect(address_).AwaitReset());
  EXPECT_TRUE(RawSocket::Connect(address_).AwaitReset());
  EXPECT_TRUE(relay_->AwaitError("clients are refused; this is said once a minute for each limit"));
  EXPECT_TRUE(relay_->AwaitError(
      "limit=connections_in_all set_by=--max-connections times=1 loudest=127.0.0.0/24"));
}

TEST_F(ConnectionCapsTest, TooFewDescriptorsForTheCapAreWarnedOf) {
  Serve({}, {"/usr/bin/prlimit", "--nofile=1024"});
  EXPECT_TRUE(relay_->AwaitError("raise LimitNOFILE= or ulimit -n, or lower --max-connections"));
  // 2,048 connections, 256 of the metrics port, and 64.
  EXPECT_TRUE(relay_->AwaitError("may_open=1024 may_need=2368"));
}

// CVE-2023-4785 at a path.
TEST_F(ConnectionCapsTest, APathIsServedAgainAfterDescriptorsRanOut) {
  const testing::TempFolder folder("/tmp");  // short, as a socket's path has to be
  Serve({"--listen=unix:" + folder.path() + "/relay"}, {"/usr/bin/prlimit", "--nofile=64"});
  std::vector<std::unique_ptr<UnixSocket>> held;
  for (int i = 0; i < 150; ++i) {
    held.push_back(std::make_unique<UnixSocket>(folder.path() + "/relay"));
  }
  EXPECT_GE(AwaitAtLeast("wormhole_connections_refused_total{reason=\"descriptors\"}", 80), 80);
  held.clear();
  ExpectExchange();
}

}  // namespace
}  // namespace wormhole::service_test
