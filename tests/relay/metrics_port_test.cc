// The port that is scraped: what it answers, to whom, and that nobody holds it up.
#include "relay/server/metrics_port.h"

#include <atomic>
#include <latch>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"
#include "relay/server/listeners.h"
#include "tests/support/http_client.h"
#include "tests/support/raw_socket.h"
#include "tests/support/reserved_port.h"

namespace wormhole::service_test {
namespace {

using relay::Listeners;
using relay::MetricsPort;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using testing::RawSocket;

class MetricsPortTest : public ::testing::Test {
 protected:
  MetricsPortTest() {
    prometheus::BuildCounter()
        .Name("answers_total")
        .Help("h")
        .Register(*registry_)
        .Add({})
        .Increment(42);
  }

  void Serve(const std::string& listen = "127.0.0.1:0") {
    auto listeners = MetricsPort::Bind(listen);
    ASSERT_TRUE(listeners.ok()) << listeners.status();
    Start(*std::move(listeners));
  }

  void Start(Listeners listeners) {
    auto port = MetricsPort::Start(std::move(listeners), {registry_});
    ASSERT_TRUE(port.ok()) << port.status();
    port_ = *std::move(port);
  }

  std::string Port() const { return port_->address().substr(port_->address().rfind(':')); }

  void ExpectScraped(const std::string& address) const {
    const HttpResponse response = HttpGet(address);
    EXPECT_EQ(response.status, 200);
    EXPECT_THAT(response.head, HasSubstr("Content-Type: text/plain; version=0.0.4"));
    EXPECT_THAT(response.head,
                HasSubstr("Content-Length: " + std::to_string(response.body.size())));
    EXPECT_THAT(response.body, HasSubstr("\nanswers_total 42\n"));
  }

  int StatusOf(const std::string& request) const {
    TcpClient client(port_->address());
    client.Send(request);
    client.EndSending();
    return ReadHttp(client.ReadToEnd()).status;
  }

  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  std::unique_ptr<MetricsPort> port_;
};

TEST_F(MetricsPortTest, IsScraped) {
  Serve();
  EXPECT_THAT(port_->address(), MatchesRegex("127\\.0\\.0\\.1:[1-9][0-9]*"));
  for (int i = 0; i < 100; ++i) ExpectScraped(port_->address());
}

TEST_F(MetricsPortTest, AllAddressesAreThoseOfIPv4Too) {
  Serve("[::]:0");
  ExpectScraped("127.0.0.1" + Port());
  if (TcpClient("[::1]" + Port()).connected()) ExpectScraped("[::1]" + Port());
  Serve("0.0.0.0:0");
  ExpectScraped("127.0.0.1" + Port());
  Serve("localhost:0");
  ExpectScraped("127.0.0.1" + Port());
}

TEST_F(MetricsPortTest, OnlyOnePageForGetAndHead) {
  Serve();
  EXPECT_EQ(HttpGet(port_->address(), "/").status, 404);
  EXPECT_EQ(HttpGet(port_->address(), "/metrics/").status, 404);
  EXPECT_EQ(HttpGet(port_->address(), "/../etc/passwd").status, 404);
  EXPECT_EQ(HttpGet(port_->address(), "/metrics?name=x").status, 200);
  EXPECT_EQ(StatusOf("POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"), 405);
  EXPECT_EQ(StatusOf("GET /metrics HTTP/1.0\r\n\r\n"), 200);
  TcpClient client(port_->address());
  client.Send("HEAD /metrics HTTP/1.1\r\n\r\n");
  const HttpResponse head = ReadHttp(client.ReadToEnd());
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
}

TEST_F(MetricsPortTest, ARequestMayComeInPiecesAndEndTheClientsHalf) {
  Serve();
  TcpClient client(port_->address());
  const std::string request = "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const char byte : request) EXPECT_TRUE(client.Send(std::string(1, byte)));
  client.EndSending();
  EXPECT_EQ(ReadHttp(client.ReadToEnd()).status, 200);
}

TEST_F(MetricsPortTest, GarbageIsRefused) {
  Serve();
  for (const char* request :
       {"\r\n\r\n", "GET\r\n\r\n", "GET /metrics\r\n\r\n", " \r\n\r\n", "  \r\n\r\n",
        "GET /metrics FTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
    // 0: it ends without a word.
    EXPECT_THAT(StatusOf(request), AnyOf(0, 400, 505)) << request;
  }
  std::mt19937 random(4);
  for (int i = 0; i < 200; ++i) {
    std::string bytes(random() % 20'000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    TcpClient client(port_->address());
    client.Send(bytes);
    client.EndSending();
    client.ReadToEnd();
  }
  ExpectScraped(port_->address());
}

TEST_F(MetricsPortTest, AHeadWithoutEndIsRefused) {
  Serve();
  TcpClient client(port_->address());
  client.Send("GET /metrics HTTP/1.1\r\nX: " + std::string(20'000, 'x'));
  const int status = ReadHttp(client.ReadToEnd()).status;
  EXPECT_TRUE(status == 431 || status == 0) << status;  // 0: the reset has overtaken the answer
  ExpectScraped(port_->address());
}

TEST_F(MetricsPortTest, ClientsThatSayNothingHoldUpNobody) {
  Serve();
  std::vector<std::unique_ptr<TcpClient>> silent;
  for (int i = 0; i < 200; ++i) {
    silent.push_back(std::make_unique<TcpClient>(port_->address()));
    ASSERT_TRUE(silent.back()->connected());
    silent.back()->Send("GET /metrics HT");
    if (i % 10 == 0) ExpectScraped(port_->address());
  }
  ExpectScraped(port_->address());
  EXPECT_EQ(silent.front()->ReadToEnd(), "");  // cut off in the end
}

// As many as there are places, and each has said something: without more, five seconds would pass
// before one of them went. The newest is still there when the page has come, unless the machine has
// stood still for as long.
TEST_F(MetricsPortTest, TheOldestGivesWayToTheNewest) {
  Serve();
  std::string answer;
  for (int round = 0; round < 5 && answer.empty(); ++round) {
    std::vector<RawSocket> tricklers;
    for (int i = 0; i < 256; ++i) {
      tricklers.push_back(RawSocket::Connect(port_->address()));
      tricklers.back().Send("GET /met");
    }
    ExpectScraped(port_->address());
    tricklers.back().Send("rics HTTP/1.1\r\nHost: x\r\n\r\n");
    answer = tricklers.back().Receive(15);
    EXPECT_TRUE(tricklers.front().AwaitClosed());
  }
  EXPECT_EQ(answer, "HTTP/1.1 200 OK");
}

TEST_F(MetricsPortTest, ClientsThatDoNotReadHoldUpNobody) {
  auto& family = prometheus::BuildCounter().Name("many_total").Help("h").Register(*registry_);
  for (int i = 0; i < 50'000; ++i) {
    family.Add({{"label", std::string(80, 'x') + std::to_string(i)}});
  }
  Serve();
  std::vector<std::unique_ptr<TcpClient>> deaf;
  for (int i = 0; i < 5; ++i) {
    deaf.push_back(std::make_unique<TcpClient>(port_->address()));
    deaf.back()->Send("GET /metrics HTTP/1.1\r\n\r\n");
  }
  ExpectScraped(port_->address());
  port_.reset();  // whatever they do
}

// Each page takes the thread's time. If each of them got its own, those who come last would wait
// for all of these, and be taken for silent.
TEST_F(MetricsPortTest, ThoseWhoComeWhileAPageIsWrittenShareTheNext) {
  constexpr int kClients = 50;
  class Slow final : public prometheus::Collectable {
   public:
    std::vector<prometheus::MetricFamily> Collect() const override {
      if (pages++ == 0) {
        begun.count_down();
        go_on.wait();
      }
      return {};
    }
    mutable std::atomic<int> pages = 0;
    mutable std::latch begun{1};
    mutable std::latch go_on{1};
  };
  auto slow = std::make_shared<Slow>();
  auto port = MetricsPort::Start(*MetricsPort::Bind("127.0.0.1:0"), {slow, registry_});
  ASSERT_TRUE(port.ok()) << port.status();
  std::vector<std::unique_ptr<TcpClient>> clients;
  for (int i = 0; i <= kClients; ++i) {
    clients.push_back(std::make_unique<TcpClient>((*port)->address()));
    EXPECT_TRUE(clients.back()->Send("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n"));
    if (i == 0) slow->begun.wait();
  }
  slow->go_on.count_down();
  for (const auto& client : clients) {
    EXPECT_THAT(ReadHttp(client->ReadToEnd()).body, HasSubstr("\nanswers_total 42\n"));
  }
  // The thread accepts a handful at a time.
  EXPECT_LE(slow->pages, kClients / 4);
}

// What it collects may go once it has ended.
TEST_F(MetricsPortTest, CollectsNothingAfterItsEnd) {
  class Counting final : public prometheus::Collectable {
   public:
    std::vector<prometheus::MetricFamily> Collect() const override {
      EXPECT_FALSE(over);
      return {};
    }
    std::atomic<bool> over = false;
  };
  auto counting = std::make_shared<Counting>();
  auto port = MetricsPort::Start(*MetricsPort::Bind("127.0.0.1:0"), {counting});
  ASSERT_TRUE(port.ok());
  std::vector<std::unique_ptr<TcpClient>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<TcpClient>((*port)->address()));
    clients.back()->Send("GET /metrics HTTP/1.1\r\n\r\n");
  }
  port->reset();
  counting->over = true;
  for (const auto& client : clients) client->ReadToEnd();
}

TEST_F(MetricsPortTest, AnAddressThatCannotBeHadIsNamed) {
  Serve();
  const auto taken = MetricsPort::Bind(port_->address());
  EXPECT_EQ(taken.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(taken.status().message()),
              AllOf(HasSubstr("--metrics-listen"), HasSubstr(port_->address()),
                    HasSubstr("the port is taken")));
  EXPECT_FALSE(MetricsPort::Bind("192.0.2.1:0").ok());
  EXPECT_FALSE(MetricsPort::Bind("no-such-host.invalid:0").ok());
}

TEST_F(MetricsPortTest, WhoComesBeforeItServesWaits) {
  auto listeners = MetricsPort::Bind("127.0.0.1:0");
  ASSERT_TRUE(listeners.ok());
  TcpClient client(listeners->address());
  ASSERT_TRUE(client.connected());
  client.Send("GET /metrics HTTP/1.1\r\n\r\n");
  Start(*std::move(listeners));
  EXPECT_THAT(ReadHttp(client.ReadToEnd()).body, HasSubstr("\nanswers_total 42\n"));
}

TEST_F(MetricsPortTest, AnAddressIsTakenOnceBoundAndFreeWhenItIsNotServed) {
  const testing::ReservedPort port;
  auto bound = std::make_unique<Listeners>(*MetricsPort::Bind(port.host_port()));
  EXPECT_FALSE(MetricsPort::Bind(port.host_port()).ok());
  TcpClient client(port.host_port());
  ASSERT_TRUE(client.connected());
  bound.reset();
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_FALSE(TcpClient(port.host_port()).connected());
  Serve(port.host_port());
  ExpectScraped(port.host_port());
}

}  // namespace
}  // namespace wormhole::service_test
