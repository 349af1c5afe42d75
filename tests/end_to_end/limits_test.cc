// The library at a relay that allows one address little: it waits, and goes through.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "relay/monitor/testing/metrics_page.h"
#include "tests/support/http_client.h"
#include "tests/support/relay_process.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

using relay::MetricsPage;

// What an address may do at once, and then each second one more.
constexpr int kPerMinute = 60;
// They come in a moment, so some of these are refused; unless it takes this many seconds.
constexpr int kBeyond = 8;
constexpr int kMany = kPerMinute + kBeyond;

class LimitsTest : public ::testing::Test {
 protected:
  void StartRelay(const std::string& flag) {
    relay_ = std::make_unique<RelayProcess>(std::vector<std::string>{
        "--listen=127.0.0.1:0", "--store=memory", "--metrics-listen=127.0.0.1:0",
        absl::StrCat(flag, "=", kPerMinute)});
    options_.app_id = "example.com/end-to-end";
    options_.rendezvous = relay_->AwaitListening();
    options_.schedule = {{absl::ZeroDuration(), absl::Milliseconds(100)}};
    options_.timeout = absl::Minutes(2);
    options_.client = Client::Create().value();
    metrics_ = relay_->AwaitLine("metrics on ");
    ASSERT_NE(metrics_, "") << relay_->error();
  }

  double Refusals(const std::string& reason) const {
    return MetricsPage(service_test::HttpGet(metrics_).body)
        .Value(absl::StrCat("wormhole_relay_refused_total{reason=\"", reason, "\"}"));
  }

  // Some were, and none of them came again before he was told to: each waits a second at least, in
  // which one of them is let in.
  void ExpectRefused(const std::string& reason) const {
    const double refused = Refusals(reason);
    EXPECT_GE(refused, 1);
    EXPECT_LE(refused, kBeyond * (kBeyond + 1));
  }

  std::vector<Initiator> Initiators(int count) const {
    std::vector<Initiator> initiators;
    for (int i = 0; i < count; ++i) {
      initiators.push_back(Initiator::Create(options_, "from the initiator").value());
    }
    return initiators;
  }

  Options options_;

 private:
  std::unique_ptr<RelayProcess> relay_;
  std::string metrics_;
};

TEST_F(LimitsTest, WhoAllocatesTooOftenWaits) {
  StartRelay("--max-allocations-per-minute");
  std::vector<Initiator> initiators = Initiators(kMany);
  for (Initiator& initiator : initiators) EXPECT_TRUE(initiator.GetCode().ok());
  ExpectRefused("allocation_rate");
}

TEST_F(LimitsTest, WhoClaimsTooOftenWaits) {
  StartRelay("--max-claims-per-minute");
  std::vector<Initiator> initiators = Initiators(kMany);
  std::vector<std::string> codes;
  for (Initiator& initiator : initiators) codes.push_back(initiator.GetCode().value());
  std::vector<Receiver> receivers;
  for (const std::string& code : codes) {
    receivers.push_back(Receiver::Create(options_, code, "from the receiver").value());
  }
  for (Receiver& receiver : receivers) {
    EXPECT_EQ(receiver.GetData().value_or("failed"), "from the initiator");
  }
  ExpectRefused("claim_rate");
}

// One person types codes that are none; the other's is right, and only takes longer.
TEST_F(LimitsTest, WhoSharesAnAddressWithSomebodyWhoGuessesWaits) {
  StartRelay("--max-failed-claims-per-minute");
  std::vector<Initiator> honest = Initiators(1);
  const std::string code = honest.front().GetCode().value();
  std::vector<Receiver> guesses;
  for (int i = 0; i < kMany; ++i) {
    guesses.push_back(
        Receiver::Create(options_, absl::StrCat(900'000'000 + i, "-abandon-zoo"), "a guess")
            .value());
  }
  for (Receiver& guess : guesses) {
    EXPECT_EQ(ReasonOf(guess.GetData().status()), Reason::kNoSuchCode);
  }
  auto receiver = Receiver::Create(options_, code, "from the receiver");
  EXPECT_EQ(receiver->GetData().value_or("failed"), "from the initiator");
  EXPECT_EQ(honest.front().GetData().value_or("failed"), "from the receiver");
  ExpectRefused("failed_claim_rate");
}

TEST_F(LimitsTest, WhoOpensTooManyStreamsWaitsUntilOthersHaveFinished) {
  StartRelay("--max-streams-per-address");
  std::vector<Initiator> initiators = Initiators(kPerMinute);
  std::vector<std::string> codes;
  for (Initiator& initiator : initiators) codes.push_back(initiator.GetCode().value());
  auto receiver = Receiver::Create(options_, codes.front(), "from the receiver");
  while (Refusals("streams_of_address") < 1) {
  }
  initiators.pop_back();
  EXPECT_EQ(receiver->GetData().value_or("failed"), "from the initiator");
  EXPECT_EQ(initiators.front().GetData().value_or("failed"), "from the receiver");
}

}  // namespace
}  // namespace wormhole::testing
