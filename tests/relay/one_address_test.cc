// What many people behind one address do together, at a relay as it is shipped.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "relay/monitor/testing/metrics_page.h"
#include "tests/support/attach_client.h"
#include "tests/support/http_client.h"
#include "tests/support/relay_process.h"

namespace wormhole::service_test {
namespace {

using error::ErrorDetail;
using relay::MetricsPage;
using testing::RelayProcess;

enum class Outcome { kDone, kRefused };

class OneAddressTest : public ::testing::Test {
 protected:
  void Serve(std::vector<std::string> flags = {}) {
    flags.insert(flags.end(),
                 {"--listen=127.0.0.1:0", "--store=memory", "--metrics-listen=127.0.0.1:0"});
    relay_ = std::make_unique<RelayProcess>(std::move(flags));
    address_ = relay_->AwaitListening();
    metrics_ = relay_->AwaitLine("metrics on ");
    ASSERT_NE(metrics_, "") << relay_->error();
  }

  // Two people, each with a connection of their own; `n` tells pairs apart.
  Outcome Exchange(int n, bool mistyped_first) const {
    AttachClient a(Connect(address_));
    a.Send(Of(n, OpenAllocate('a')));
    const auto allocated = a.ReceiveNews();
    if (!allocated || !allocated->has_opened()) return Outcome::kRefused;
    const uint32_t id = allocated->opened().channel_id();
    if (mistyped_first && !FindsNothing(id + kNobodys)) return Outcome::kRefused;
    AttachClient b(Connect(address_));
    b.Send(Of(n, OpenClaim('b', id)));
    const auto claimed = b.ReceiveNews();
    if (!claimed || !claimed->has_opened()) return Outcome::kRefused;
    a.Send(Post(1, "from a"));
    b.Send(Post(1, "from b"));
    if (AwaitMessage(a) != "from b" || AwaitMessage(b) != "from a") return Outcome::kRefused;
    for (AttachClient* const side : {&a, &b}) {
      side->Send(Ack(1));
      side->Send(Close(rendezvous::v1::MOOD_HAPPY));
      side->Finish().IgnoreError();
    }
    return Outcome::kDone;
  }

  // How many of these are. Some are under way at a time.
  int Refused(int exchanges, int mistyped_each) const {
    constexpr int kThreads = 8;
    std::atomic<int> next = 0;
    std::atomic<int> refused = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int n = next++; n < exchanges; n = next++) {
          if (Exchange(n, n % mistyped_each == 0) != Outcome::kDone) ++refused;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return refused;
  }

  MetricsPage Page() const { return MetricsPage(HttpGet(metrics_).body); }

  // No channel of this test has an id that high.
  static constexpr uint32_t kNobodys = 900'000'000;

 private:
  // With a token of its own, by which the relay knows a side.
  static AttachRequest Of(int n, AttachRequest open) {
    std::string& token = *open.mutable_open()->mutable_token();
    const std::string number = std::to_string(n);
    token.replace(0, number.size(), number);
    return open;
  }

  bool FindsNothing(uint32_t id) const {
    AttachClient client(Connect(address_));
    client.Send(OpenClaim('c', id));
    return error::ReasonOf(client.Finish()) == ErrorDetail::REASON_NEVER_ALLOCATED;
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
};

// A campus, or a carrier's NAT: a thousand exchanges, both sides of each behind the same address,
// and every twentieth code mistyped. They take the test some seconds, and people a minute, in which
// the relay allows them twice as much as at once.
TEST_F(OneAddressTest, AThousandPeopleDoAnExchangeEach) {
  Serve();
  EXPECT_EQ(Refused(1000, 20), 0);
  const MetricsPage page = Page();
  EXPECT_EQ(page.Sum("wormhole_relay_refused_total"), 0);
  EXPECT_EQ(page.Sum("wormhole_connections_refused_total"), 0);
  EXPECT_EQ(page.Sum("wormhole_failed_claims_total"), 50);
  EXPECT_GE(page.Value("wormhole_connections_accepted_total{of=\"client\"}"), 2050);
}

// The test above can fail.
TEST_F(OneAddressTest, BeyondTheLimitTheyAreRefused) {
  Serve({"--max-claims-per-minute=1"});
  EXPECT_GE(Refused(10, 100), 1);
  EXPECT_GE(Page().Value("wormhole_relay_refused_total{reason=\"claim_rate\"}"), 1);
}

}  // namespace
}  // namespace wormhole::service_test
