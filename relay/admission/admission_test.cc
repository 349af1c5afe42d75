#include "relay/admission/admission.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "proto/net/address.h"

namespace wormhole::relay {
namespace {

using absl::Seconds;

constexpr absl::Duration kStart = absl::Hours(5);

class Seen final : public AdmissionObserver {
 public:
  void OnRefused(Refusal refusal, const net::Address& client, const std::string& app_id) override {
    refusals.push_back(
        absl::StrCat(std::string(RefusalName(refusal)), " ", client.ToString(), " ", app_id));
  }
  std::vector<std::string> refusals;
};

net::Address Ip(const std::string& text) { return *net::Address::Parse(text); }

std::string WhyNot(const std::optional<Refused>& refused) {
  return refused ? std::string(RefusalName(refused->why)) : "admitted";
}

AdmissionRules Rules(uint32_t each_act) {
  AdmissionRules rules;
  rules.acts.values.fill(each_act);
  return rules;
}

TEST(AdmissionTest, ByDefaultEverybodyMay) {
  Admission admission({});
  for (int n = 0; n < 10'000; ++n) {
    EXPECT_FALSE(admission.Connect(Ip("192.0.2.7"), kStart));
    EXPECT_FALSE(admission.Enter(Ip("192.0.2.7"), kStart));
    EXPECT_FALSE(admission.Allocate(Ip("192.0.2.7"), "app", kStart));
    EXPECT_FALSE(admission.Claim(Ip("192.0.2.7"), "app", kStart));
    admission.NoteFailedClaim(Ip("192.0.2.7"), kStart);
  }
}

TEST(AdmissionTest, EachActHasItsOwnReason) {
  Seen seen;
  Admission admission(Rules(1), &seen);
  const net::Address client = Ip("192.0.2.7");
  EXPECT_EQ(WhyNot(admission.Connect(client, kStart)), "admitted");
  EXPECT_EQ(WhyNot(admission.Allocate(client, "app", kStart)), "admitted");
  EXPECT_EQ(WhyNot(admission.Claim(client, "app", kStart)), "admitted");
  EXPECT_EQ(WhyNot(admission.Connect(client, kStart)), "connection_rate");
  EXPECT_EQ(WhyNot(admission.Allocate(client, "app", kStart)), "allocation_rate");
  EXPECT_EQ(WhyNot(admission.Claim(client, "app", kStart)), "claim_rate");
  admission.NoteFailedClaim(client, kStart);
  EXPECT_EQ(WhyNot(admission.Claim(client, "app", kStart)), "failed_claim_rate");
  EXPECT_EQ(seen.refusals, (std::vector<std::string>{
                               "connection_rate 192.0.2.7 ", "allocation_rate 192.0.2.7 app",
                               "claim_rate 192.0.2.7 app", "failed_claim_rate 192.0.2.7 app"}));
}

TEST(AdmissionTest, SaysWhenToComeBack) {
  Admission admission(Rules(6));
  const net::Address client = Ip("192.0.2.7");
  for (int n = 0; n < 6; ++n) ASSERT_FALSE(admission.Claim(client, "app", kStart));
  const std::optional<Refused> refused = admission.Claim(client, "app", kStart);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->wait, Seconds(10));
  EXPECT_FALSE(admission.Claim(client, "app", kStart + refused->wait));
}

TEST(AdmissionTest, OneAddressIsASlash64AndASiteMayTwiceAsMuch) {
  Admission admission(Rules(10));
  const auto claims = [&](const std::string& address) {
    int done = 0;
    while (!admission.Claim(Ip(address), "app", kStart)) ++done;
    return done;
  };
  EXPECT_EQ(claims("2001:db8:1:1::7"), 10);
  EXPECT_EQ(claims("2001:db8:1:1::8"), 0);
  EXPECT_EQ(claims("2001:db8:1:2::7"), 10);
  EXPECT_EQ(claims("2001:db8:1:3::7"), 0);  // the site's
  EXPECT_EQ(claims("2001:db8:2:3::7"), 10);
}

TEST(AdmissionTest, WhereNetworksDoNotCountEachAddressStandsForItself) {
  AdmissionRules rules = Rules(10);
  rules.by_network = false;
  Admission admission(rules);
  for (const char* address : {"2001:db8:1:1::7", "2001:db8:1:1::8", "2001:db8:1:2::7"}) {
    int done = 0;
    while (!admission.Claim(Ip(address), "app", kStart)) ++done;
    EXPECT_EQ(done, 10) << address;
  }
}

TEST(AdmissionTest, WhoIsChargedAsMuchAsHeMayMayNotConnect) {
  AdmissionRules rules;
  rules.acts[Act::kOpenStream] = 60;
  Admission admission(rules);
  const Admission::Client client = Ip("192.0.2.7");
  admission.Charge(client, 30, kStart);
  EXPECT_FALSE(admission.Connect(client, kStart));
  admission.Charge(client, 30, kStart);
  const std::optional<Refused> refused = admission.Connect(client, kStart);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->wait, Seconds(1));
  EXPECT_FALSE(admission.Connect(client, kStart + Seconds(1)));
}

TEST(AdmissionTest, WhoOpensStreamsWithoutEndIsCut) {
  Admission admission(Rules(10));
  std::vector<std::string> cut;
  admission.SetCutter([&](const net::Address& client) { cut.push_back(client.ToString()); });
  const net::Address client = Ip("192.0.2.7");
  for (int n = 0; n < 10; ++n) EXPECT_EQ(WhyNot(admission.Enter(client, kStart)), "admitted");
  for (int n = 0; n < 9; ++n) EXPECT_EQ(WhyNot(admission.Enter(client, kStart)), "stream_rate");
  EXPECT_TRUE(cut.empty());
  EXPECT_EQ(WhyNot(admission.Enter(client, kStart)), "stream_rate");
  EXPECT_EQ(cut, std::vector<std::string>{"192.0.2.7"});
  EXPECT_EQ(WhyNot(admission.Connect(client, kStart)), "stream_rate");
  EXPECT_EQ(WhyNot(admission.Connect(Ip("192.0.2.8"), kStart)), "admitted");
  EXPECT_EQ(WhyNot(admission.Connect(client, kStart + Seconds(70))), "admitted");
  EXPECT_EQ(WhyNot(admission.Enter(std::nullopt, kStart)), "admitted");
}

TEST(AdmissionTest, ACallCountsAmongTheOpenedStreamsAndHoldsNothing) {
  AdmissionRules rules = Rules(10);
  rules.streams_per_address = 1;
  Admission admission(rules);
  std::vector<std::string> cut;
  admission.SetCutter([&](const net::Address& client) { cut.push_back(client.ToString()); });
  const net::Address client = Ip("192.0.2.7");
  for (int n = 0; n < 9; ++n) EXPECT_EQ(WhyNot(admission.Call(client, kStart)), "admitted");
  EXPECT_EQ(admission.stream_count(), 0);
  EXPECT_EQ(WhyNot(admission.Enter(client, kStart)), "admitted");
  EXPECT_EQ(WhyNot(admission.Call(client, kStart)), "stream_rate");
  for (int n = 0; n < 9; ++n) admission.Call(client, kStart);
  EXPECT_EQ(cut, std::vector<std::string>{"192.0.2.7"});
  // Whoever asks for the relay's health hears of it also when memory is short.
  admission.SetShortOfMemory(true);
  EXPECT_EQ(WhyNot(admission.Call(Ip("192.0.2.8"), kStart)), "admitted");
  EXPECT_EQ(WhyNot(admission.Enter(Ip("192.0.2.8"), kStart)), "memory");
  EXPECT_EQ(WhyNot(admission.EnterBriefly(Ip("192.0.2.8"), kStart)), "admitted");
}

// Whoever checks the relay's health through it hears of it also when all streams are taken.
TEST(AdmissionTest, BriefCallsCountApartFromStreams) {
  AdmissionRules rules;
  rules.streams = 4;
  rules.streams_per_address = 1;
  Admission admission(rules);
  const net::Address client = Ip("192.0.2.7");
  EXPECT_EQ(WhyNot(admission.Enter(client, kStart)), "admitted");
  EXPECT_EQ(WhyNot(admission.Enter(client, kStart)), "streams_of_address");
  for (uint32_t n = 0; n < Admission::kBriefCallsPerAddress; ++n) {
    ASSERT_EQ(WhyNot(admission.EnterBriefly(client, kStart)), "admitted");
  }
  EXPECT_EQ(WhyNot(admission.EnterBriefly(client, kStart)), "streams_of_address");
  admission.LeaveBriefly(client, kStart);
  EXPECT_EQ(WhyNot(admission.EnterBriefly(client, kStart)), "admitted");
  EXPECT_EQ(admission.stream_count(), 1);
  EXPECT_EQ(admission.call_count(), 1 + Admission::kBriefCallsPerAddress);
  for (size_t n = Admission::kBriefCallsPerAddress; n < Admission::kBriefCalls; ++n) {
    ASSERT_EQ(WhyNot(admission.EnterBriefly(std::nullopt, kStart)), "admitted");
  }
  EXPECT_EQ(WhyNot(admission.EnterBriefly(std::nullopt, kStart)), "streams_in_all");
}

TEST(AdmissionTest, AnAbandonedStreamCountsAsTen) {
  Admission admission(Rules(100));
  std::vector<std::string> cut;
  admission.SetCutter([&](const net::Address& client) { cut.push_back(client.ToString()); });
  const net::Address client = Ip("192.0.2.7");
  const auto abandon = [&] {
    const std::string why = WhyNot(admission.Enter(client, kStart));
    if (why == "admitted") {
      admission.NoteAbandoned(client, kStart);
      admission.Leave(client, kStart);
    }
    return why;
  };
  for (int n = 0; n < 10; ++n) EXPECT_EQ(abandon(), "admitted");
  EXPECT_EQ(abandon(), "stream_rate");
  EXPECT_EQ(WhyNot(admission.Connect(client, kStart)), "stream_rate");
  EXPECT_TRUE(cut.empty());
  // Those that were on their way when the limit was reached.
  for (int n = 0; n < 20; ++n) admission.NoteAbandoned(client, kStart);
  EXPECT_FALSE(cut.empty());
  EXPECT_EQ(admission.stream_count(), 0);
  admission.NoteAbandoned(std::nullopt, kStart);
}

TEST(AdmissionTest, WhoIsBanishedIsKeptOutForAMinute) {
  Admission admission(Rules(10));
  const net::Address client = Ip("192.0.2.7");
  admission.Banish(client, kStart);
  EXPECT_EQ(WhyNot(admission.Connect(client, kStart)), "stream_rate");
  EXPECT_EQ(WhyNot(admission.Connect(client, kStart + Seconds(59))), "stream_rate");
  EXPECT_EQ(WhyNot(admission.Connect(client, kStart + Seconds(70))), "admitted");
  EXPECT_EQ(WhyNot(admission.Connect(Ip("192.0.2.8"), kStart)), "admitted");
}

TEST(AdmissionTest, StreamsOfAnAddress) {
  AdmissionRules rules;
  rules.streams_per_address = 2;
  Admission admission(rules);
  const net::Address client = Ip("192.0.2.7");
  ASSERT_FALSE(admission.Enter(client, kStart));
  ASSERT_FALSE(admission.Enter(client, kStart));
  EXPECT_EQ(WhyNot(admission.Enter(client, kStart)), "streams_of_address");
  EXPECT_EQ(WhyNot(admission.Enter(Ip("192.0.2.8"), kStart)), "admitted");
  EXPECT_EQ(WhyNot(admission.Enter(std::nullopt, kStart)), "admitted");
  admission.Leave(client, kStart);
  EXPECT_EQ(WhyNot(admission.Enter(client, kStart)), "admitted");
  EXPECT_EQ(admission.stream_count(), 4);
}

TEST(AdmissionTest, TheLastQuarterOfAllStreamsIsForThoseWhoHoldFew) {
  AdmissionRules rules;
  rules.streams = 1000;
  Admission admission(rules);
  const net::Address greedy = Ip("192.0.2.7");
  int held = 0;
  while (!admission.Enter(greedy, kStart)) ++held;
  EXPECT_EQ(held, 750);
  int others = 0;
  while (!admission.Enter(Ip(absl::StrCat("198.51.100.", others / 10)), kStart)) ++others;
  EXPECT_EQ(others, 250);
  EXPECT_EQ(WhyNot(admission.Enter(std::nullopt, kStart)), "streams_in_all");
}

TEST(AdmissionTest, ChannelsOfAnAddress) {
  AdmissionRules rules;
  rules.channels_per_address = 2;
  Admission admission(rules);
  const net::Address client = Ip("192.0.2.7");
  for (const char* const channel : {"a", "b", "b"}) admission.Began(channel, client, kStart);
  EXPECT_EQ(WhyNot(admission.Allocate(client, "app", kStart)), "channels_of_address");
  EXPECT_EQ(WhyNot(admission.Claim(client, "app", kStart)), "admitted");
  admission.Ended("c", kStart);
  EXPECT_EQ(WhyNot(admission.Allocate(client, "app", kStart)), "channels_of_address");
  admission.Ended("b", kStart);
  admission.Ended("b", kStart);
  EXPECT_EQ(WhyNot(admission.Allocate(client, "app", kStart)), "admitted");
}

TEST(AdmissionTest, WhileMemoryIsShortNobodyNewIsLetIn) {
  Admission admission({});
  admission.SetShortOfMemory(true);
  EXPECT_EQ(WhyNot(admission.Connect(Ip("192.0.2.7"), kStart)), "memory");
  EXPECT_EQ(WhyNot(admission.Enter(Ip("192.0.2.7"), kStart)), "memory");
  EXPECT_EQ(WhyNot(admission.Allocate(std::nullopt, "app", kStart)), "memory");
  EXPECT_EQ(WhyNot(admission.Claim(Ip("192.0.2.7"), "app", kStart)), "admitted");
  admission.SetShortOfMemory(false);
  EXPECT_EQ(WhyNot(admission.Enter(Ip("192.0.2.7"), kStart)), "admitted");
}

// Nothing changes it where a sanitizer has the heap.
size_t InUse() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// As many addresses as somebody with many providers' networks has: each connects, opens a stream,
// claims in vain and goes. All within ten seconds.
TEST(AdmissionTest, AMillionAddressesTakeLittleMemoryAndWashNobodyClean) {
  constexpr uint32_t kMillion = 1'000'000;
  constexpr size_t kMostMemory = 32 << 20;
  const auto numbered = [](uint32_t n) {  // each in a /48 of its own
    return net::Address::V6(std::array<uint8_t, 16>{
        0x20, 0x01, static_cast<uint8_t>(n >> 24), static_cast<uint8_t>(n >> 16),
        static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n)});
  };
  const size_t before = InUse();
  Admission admission(Rules(60));
  const net::Address guesser = Ip("2001:db8::7");
  for (int n = 0; n < 60; ++n) {
    ASSERT_FALSE(admission.Claim(guesser, "app", kStart));
    admission.NoteFailedClaim(guesser, kStart);
  }
  size_t most = before;
  for (uint32_t n = 0; n < kMillion; ++n) {
    const absl::Duration now = kStart + Seconds(10) * (n / double{kMillion});
    const net::Address address = numbered(n);
    if (n % 10'000 == 0) most = std::max(most, InUse());
    (void)admission.Connect(address, now);
    if (admission.Enter(address, now)) continue;
    if (!admission.Claim(address, "app", now)) admission.NoteFailedClaim(address, now);
    admission.Leave(address, now);
  }
  RecordProperty("bytes", absl::StrCat(most - before));
  EXPECT_LT(most - before, kMostMemory);
  EXPECT_EQ(admission.stream_count(), 0);
  // It has what ten seconds gave it, as if nobody else had come.
  int claims = 0;
  for (; !admission.Claim(guesser, "app", kStart + Seconds(10)); ++claims) {
    admission.NoteFailedClaim(guesser, kStart + Seconds(10));
  }
  EXPECT_EQ(claims, 10);
}

TEST(RefusalTest, EachHasAName) {
  std::set<std::string_view> names;
  for (const Refusal refusal : kRefusals) names.insert(RefusalName(refusal));
  EXPECT_EQ(names.size(), kRefusals.size());
  EXPECT_FALSE(names.contains("unknown"));
}

}  // namespace
}  // namespace wormhole::relay
