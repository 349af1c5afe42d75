#include "relay/accept/connection_limits.h"

#include <array>
#include <map>
#include <optional>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Verdict = ConnectionLimits::Verdict;

net::Address At(std::string_view text) { return *net::Address::Parse(text); }

// The n-th of many addresses.
net::Address Many(uint32_t n) {
  return net::Address::V4(
      std::array<uint8_t, 4>{static_cast<uint8_t>(n >> 24), static_cast<uint8_t>(n >> 16),
                             static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n)});
}

constexpr absl::Duration kNow = absl::Hours(1);

TEST(ConnectionLimitsTest, EachAddressHasItsCap) {
  ConnectionLimits limits({.in_all = 10, .per_address = 2});
  limits.Opened({7, 100}, At("192.0.2.1"));
  EXPECT_EQ(limits.Judge(At("192.0.2.1")), Verdict::kAdmit);
  limits.Opened({8, 101}, At("192.0.2.1"));
  EXPECT_EQ(limits.Judge(At("192.0.2.1")), Verdict::kTooManyFromAddress);
  EXPECT_EQ(limits.Judge(At("::ffff:192.0.2.1")), Verdict::kTooManyFromAddress);
  EXPECT_EQ(limits.Judge(At("192.0.2.2")), Verdict::kAdmit);
  limits.Closed(7);
  EXPECT_EQ(limits.Judge(At("192.0.2.1")), Verdict::kAdmit);
}

TEST(ConnectionLimitsTest, AHostThatIsGivenA64OfIPv6IsOneAddress) {
  ConnectionLimits limits({.in_all = 10, .per_address = 2});
  limits.Opened({7, 100}, At("2001:db8:0:1::1"));
  limits.Opened({8, 101}, At("2001:db8:0:1:ffff:ffff:ffff:ffff"));
  EXPECT_EQ(limits.Judge(At("2001:db8:0:1::2")), Verdict::kTooManyFromAddress);
  EXPECT_EQ(limits.Judge(At("2001:db8:0:2::1")), Verdict::kAdmit);
}

TEST(ConnectionLimitsTest, AllOfThemHaveACap) {
  ConnectionLimits limits({.in_all = 2, .per_address = 2});
  limits.Opened({7, 100}, At("192.0.2.1"));
  limits.Opened({8, 101}, At("192.0.2.2"));
  EXPECT_EQ(limits.Judge(At("192.0.2.3")), Verdict::kTooManyInAll);
  EXPECT_EQ(limits.Judge(At("192.0.2.1")), Verdict::kTooManyInAll);
  limits.Closed(8);
  EXPECT_EQ(limits.Judge(At("192.0.2.3")), Verdict::kAdmit);
}

TEST(ConnectionLimitsTest, WhereTheOldestGivesWayWhoHasTheMostLosesItsOldest) {
  ConnectionLimits limits({.in_all = 5, .oldest_gives_way = true});
  limits.Opened({7, 100}, At("192.0.2.1"));
  limits.Opened({9, 101}, At("192.0.2.2"));
  limits.Opened({8, 102}, At("192.0.2.2"));
  limits.Opened({11, 103}, At("2001:db8::1"));
  EXPECT_EQ(limits.Judge(At("192.0.2.2")), Verdict::kAdmit);
  limits.Opened({10, 104}, At("192.0.2.2"));
  EXPECT_EQ(limits.Judge(At("192.0.2.3")), Verdict::kGiveWay);
  EXPECT_THAT(limits.Suspects(Verdict::kGiveWay, At("192.0.2.3"), kNow), SizeIs(5));
  EXPECT_EQ(limits.GiveWay(), (ConnectionId{9, 101}));
  limits.Opened({12, 105}, At("192.0.2.3"));
  EXPECT_EQ(limits.GiveWay(), (ConnectionId{8, 102}));
  // Of equals the oldest.
  EXPECT_EQ(limits.GiveWay(), (ConnectionId{7, 100}));
  EXPECT_EQ(limits.count(), 3u);
}

using Use = ConnectionLimits::Use;

// Limits of which a test says what is of use.
class UnusedConnectionsTest : public ::testing::Test {
 protected:
  void Open(int number, std::string_view from, Use use = Use::kNone) {
    limits_.Opened({number, 7}, At(from));
    uses_[number] = use;
  }
  void OpenMany(int first, int count, std::string_view from, Use use = Use::kNone) {
    for (int number = first; number < first + count; ++number) Open(number, from, use);
  }
  void FindUnused() { limits_.FindUnused(now_ += absl::Minutes(1), use_of_); }
  // The number of the one that goes; 0: none does.
  int MakeRoom(std::string_view newcomer, bool also_young = true) {
    const auto goes = limits_.MakeRoom(At(newcomer), also_young, use_of_);
    return goes ? goes->number : 0;
  }

  ConnectionLimits limits_{{.in_all = 1000, .per_address = 500}};
  std::map<int, Use> uses_;
  absl::Duration now_ = kNow;
  const ConnectionLimits::UseOf use_of_ = [this](const ConnectionId& id) {
    return uses_.at(id.number);
  };
};

// Whatever else he has: three of these are of use, and count for nothing.
TEST_F(UnusedConnectionsTest, OfWhoHasTheMostTheOldestGoesFirst) {
  Open(9, "192.0.2.2");
  Open(7, "192.0.2.1");
  Open(8, "192.0.2.2");
  OpenMany(20, 3, "192.0.2.1", Use::kInUse);
  FindUnused();
  EXPECT_EQ(MakeRoom("192.0.2.3"), 9);
  EXPECT_EQ(MakeRoom("192.0.2.3"), 8);
  EXPECT_EQ(MakeRoom("192.0.2.3"), 7);
  EXPECT_EQ(MakeRoom("192.0.2.3"), 0);
  EXPECT_EQ(limits_.count(), 3u);
}

TEST_F(UnusedConnectionsTest, IsNotLookedForAgainAtOnce) {
  Open(7, "192.0.2.1", Use::kInUse);
  FindUnused();
  uses_[7] = Use::kNone;
  limits_.FindUnused(now_, use_of_);
  EXPECT_EQ(MakeRoom("192.0.2.3"), 0);
  FindUnused();
  EXPECT_EQ(MakeRoom("192.0.2.3"), 7);
}

TEST_F(UnusedConnectionsTest, WhatHasComeToUseOrClosedSinceStays) {
  OpenMany(7, 4, "192.0.2.1");
  FindUnused();
  uses_[7] = Use::kInUse;
  limits_.Closed(8);
  limits_.Opened({9, 8}, At("192.0.2.1"));  // another one with the number
  EXPECT_EQ(MakeRoom("192.0.2.3"), 10);
  EXPECT_EQ(MakeRoom("192.0.2.3"), 0);
}

TEST_F(UnusedConnectionsTest, WhatGoesMakesRoomAndIsLookedAtUntilItHasClosed) {
  ConnectionLimits limits({.in_all = 2, .per_address = 2});
  limits.Opened({7, 100}, At("192.0.2.1"));
  limits.Opened({8, 101}, At("192.0.2.1"));
  const auto use_of = [](const ConnectionId&) { return Use::kNone; };
  limits.FindUnused(kNow, use_of);
  EXPECT_EQ(limits.MakeRoom(At("192.0.2.2"), false, use_of), (ConnectionId{7, 100}));
  EXPECT_EQ(limits.Judge(At("192.0.2.2")), Verdict::kAdmit);
  limits.Opened({9, 102}, At("192.0.2.2"));
  EXPECT_EQ(limits.Judge(At("192.0.2.3")), Verdict::kTooManyInAll);
  EXPECT_THAT(limits.Suspects(Verdict::kTooManyInAll, At("192.0.2.3"), kNow), SizeIs(3));
  // Of so few places one may be on its way out.
  EXPECT_EQ(limits.MakeRoom(At("192.0.2.3"), false, use_of), std::nullopt);
  limits.Closed(7);
  EXPECT_EQ(limits.MakeRoom(At("192.0.2.3"), false, use_of), (ConnectionId{8, 101}));
}

TEST_F(UnusedConnectionsTest, YoungOnesGoWhenThereAreNoOthers) {
  OpenMany(1, 20, "192.0.2.1", Use::kNotYet);
  Open(30, "192.0.2.2");
  FindUnused();
  EXPECT_EQ(MakeRoom("192.0.2.3", /*also_young=*/false), 30);
  EXPECT_EQ(MakeRoom("192.0.2.3", /*also_young=*/false), 0);
  EXPECT_EQ(MakeRoom("192.0.2.3"), 1);
}

// Neither who has as many, nor one who would come to have more: those would go for him in turn.
TEST_F(UnusedConnectionsTest, YoungOnesGoForThoseWhoHaveFewer) {
  OpenMany(1, 4, "192.0.2.1", Use::kNotYet);
  OpenMany(5, 2, "192.0.2.2", Use::kNotYet);
  Open(7, "192.0.2.3", Use::kNotYet);
  FindUnused();
  EXPECT_EQ(MakeRoom("192.0.2.1"), 0);
  EXPECT_EQ(MakeRoom("192.0.2.2"), 1);
  EXPECT_EQ(MakeRoom("192.0.2.2"), 0);  // they have three now
  EXPECT_EQ(MakeRoom("192.0.2.3"), 2);
  EXPECT_EQ(MakeRoom("192.0.2.3"), 0);
  EXPECT_EQ(MakeRoom("192.0.2.4"), 3);
  EXPECT_EQ(MakeRoom("192.0.2.4"), 5);
  EXPECT_EQ(MakeRoom("192.0.2.4"), 0);  // each has one
  uses_[7] = Use::kNone;
  FindUnused();
  EXPECT_EQ(MakeRoom("192.0.2.4"), 7);
}

TEST_F(UnusedConnectionsTest, NeighboursInASiteAreToldApart) {
  OpenMany(1, 3, "2001:db8:0:1::1", Use::kNotYet);
  FindUnused();
  EXPECT_EQ(MakeRoom("2001:db8:0:1::2"), 0);
  EXPECT_EQ(MakeRoom("2001:db8:0:2::1"), 1);
}

// Else two dozen addresses with 63 each, who have few, would lock out everybody who has more.
TEST_F(UnusedConnectionsTest, WhoHasFewLosesItToThoseWhoHaveMoreUpToTheLastQuarter) {
  OpenMany(1, 63, "192.0.2.1");
  OpenMany(1000, 748, "192.0.2.3", Use::kInUse);
  FindUnused();
  EXPECT_EQ(MakeRoom("192.0.2.3"), 1);
  EXPECT_EQ(MakeRoom("192.0.2.3"), 2);
  EXPECT_EQ(MakeRoom("192.0.2.3"), 0);  // they have three quarters
  EXPECT_EQ(MakeRoom("192.0.2.4"), 3);
}

TEST_F(UnusedConnectionsTest, AYoungOneOfWhoHasFewStaysForThoseWhoHaveMore) {
  OpenMany(1, 63, "192.0.2.1", Use::kNotYet);
  OpenMany(100, 70, "192.0.2.2", Use::kNotYet);
  OpenMany(1000, 64, "192.0.2.3", Use::kInUse);
  FindUnused();
  for (int number = 100; number < 107; ++number) EXPECT_EQ(MakeRoom("192.0.2.3"), number);
  // Now they, too, have few.
  EXPECT_EQ(MakeRoom("192.0.2.3"), 0);
  EXPECT_EQ(MakeRoom("192.0.2.4"), 107);
}

// In one order, whoever has few or more.
TEST_F(UnusedConnectionsTest, WhoHasTheMostOfNoUseGoesFirstHoweverManyHeHas) {
  OpenMany(1, 3, "192.0.2.1");
  OpenMany(10, 2, "192.0.2.2");
  OpenMany(100, 64, "192.0.2.2", Use::kInUse);
  OpenMany(20, 1, "192.0.2.3");
  FindUnused();
  for (const int number : {1, 2, 3, 10, 11, 20}) EXPECT_EQ(MakeRoom("192.0.2.4"), number);
}

// Somebody with many /64 of one site is one.
TEST(ConnectionLimitsTest, WhereTheOldestGivesWayASiteOfIPv6IsOneSource) {
  ConnectionLimits limits({.in_all = 4, .oldest_gives_way = true});
  limits.Opened({7, 100}, At("192.0.2.1"));
  limits.Opened({8, 101}, At("2001:db8:0:1::1"));
  limits.Opened({9, 102}, At("2001:db8:0:2::1"));
  limits.Opened({10, 103}, At("2001:db8:0:2::2"));
  EXPECT_EQ(limits.GiveWay(), (ConnectionId{9, 102}));
  EXPECT_EQ(limits.GiveWay(), (ConnectionId{8, 101}));
}

TEST(ConnectionLimitsTest, ThoseThatHaveGivenWayAreNoMoreThanThereArePlaces) {
  ConnectionLimits limits({.in_all = 2, .oldest_gives_way = true});
  EXPECT_EQ(limits.GiveWay(), std::nullopt);
  for (int number = 0; number < 4; ++number) {
    const Verdict verdict = limits.Judge(Many(1));
    EXPECT_EQ(verdict, number < 2 ? Verdict::kAdmit : Verdict::kGiveWay);
    if (verdict == Verdict::kGiveWay) limits.GiveWay();
    limits.Opened({number, 0}, Many(1));
  }
  EXPECT_EQ(limits.Judge(Many(2)), Verdict::kTooManyInAll);
  EXPECT_THAT(limits.Suspects(Verdict::kTooManyInAll, Many(2), kNow), SizeIs(4));
  limits.Closed(0);
  EXPECT_EQ(limits.Judge(Many(2)), Verdict::kGiveWay);
  // A number that is given again is another connection's.
  limits.Opened({1, 9}, Many(1));
  limits.GiveWay();
  EXPECT_EQ(limits.Judge(Many(2)), Verdict::kGiveWay);
  limits.GiveWay();
  EXPECT_EQ(limits.Judge(Many(2)), Verdict::kTooManyInAll);
}

TEST(ConnectionLimitsTest, ThoseWithoutANameCountAmongAll) {
  ConnectionLimits limits({.in_all = 3, .per_address = 3});
  limits.Opened({7, 100}, At("192.0.2.1"));
  limits.SetNameless(1);
  EXPECT_EQ(limits.JudgeNameless(), Verdict::kAdmit);
  EXPECT_EQ(limits.Judge(At("192.0.2.2")), Verdict::kAdmit);
  limits.SetNameless(2);
  EXPECT_EQ(limits.JudgeNameless(), Verdict::kTooManyInAll);
  EXPECT_EQ(limits.Judge(At("192.0.2.2")), Verdict::kTooManyInAll);
}

// Three addresses at their cap, and a fourth that would be.
TEST(ConnectionLimitsTest, AFewAddressesDoNotLockOutTheOthers) {
  ConnectionLimits limits({.in_all = 4096, .per_address = 1500});
  int number = 0;
  for (uint32_t host = 1; host <= 4; ++host) {
    while (limits.Judge(Many(host)) == Verdict::kAdmit) limits.Opened({number++, 0}, Many(host));
  }
  // The last one began when there was room, and has few by then, or had none and has few now.
  EXPECT_LE(limits.count(), 3072u + 2 * ConnectionLimits::kFew);
  EXPECT_EQ(limits.Judge(Many(3)), Verdict::kTooManyInAll);
  for (uint32_t host = 100; host < 108; ++host) {
    for (size_t i = 0; i < ConnectionLimits::kFew; ++i) {
      ASSERT_EQ(limits.Judge(Many(host)), Verdict::kAdmit);
      limits.Opened({number++, 0}, Many(host));
    }
    EXPECT_EQ(limits.Judge(Many(host)), Verdict::kTooManyInAll);
  }
  // To the last one.
  for (uint32_t host = 200; limits.count() < 4096; ++host) limits.Opened({number++, 0}, Many(host));
  EXPECT_EQ(limits.Judge(Many(9999)), Verdict::kTooManyInAll);
}

// Behind an edge whose one address has everybody.
TEST(ConnectionLimitsTest, AnAddressThatMayHaveAllHasAll) {
  ConnectionLimits limits({.in_all = 1000, .per_address = 1000});
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(limits.Judge(At("192.0.2.1")), Verdict::kAdmit) << i;
    limits.Opened({i, 0}, At("192.0.2.1"));
  }
}

// A home is given 256 of /64 (a /56), a site 65,536.
TEST(ConnectionLimitsTest, ASiteOfIPv6HasTwiceAnAddressesCap) {
  const auto of_site = [](uint8_t subnet) {
    return net::Address::V6(std::array<uint8_t, 16>{0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, subnet});
  };
  ConnectionLimits limits({.in_all = 4096, .per_address = 1000});
  for (int i = 0; i < 2000; ++i) {
    const net::Address from = of_site(static_cast<uint8_t>(i));
    ASSERT_EQ(limits.Judge(from), Verdict::kAdmit) << i;
    limits.Opened({i, 7}, from);
  }
  EXPECT_EQ(limits.Judge(of_site(9)), Verdict::kTooManyFromAddress);
  EXPECT_THAT(limits.Suspects(Verdict::kTooManyFromAddress, of_site(9), kNow), SizeIs(2000));
  EXPECT_EQ(limits.Judge(At("2001:db8:2::1")), Verdict::kAdmit);
  for (int i = 0; i < 2000; ++i) limits.Closed(i);
  EXPECT_EQ(limits.addresses(), 0u);
}

// Its subnets have few each, and none of what is kept for those who have few.
TEST(ConnectionLimitsTest, ASiteOfIPv6HasFewTogether) {
  ConnectionLimits limits({.in_all = 400, .per_address = 399});
  const auto of_site = [](uint8_t subnet) {
    return net::Address::V6(std::array<uint8_t, 16>{0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, subnet});
  };
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(limits.Judge(of_site(static_cast<uint8_t>(i))), Verdict::kAdmit) << i;
    limits.Opened({i, 7}, of_site(static_cast<uint8_t>(i)));
  }
  EXPECT_EQ(limits.Judge(of_site(77)), Verdict::kTooManyInAll);
  EXPECT_EQ(limits.Judge(At("192.0.2.1")), Verdict::kAdmit);
}

TEST(ConnectionLimitsTest, ANumberThatComesAgainIsAnotherConnection) {
  ConnectionLimits limits({.in_all = 10, .per_address = 1});
  limits.Opened({7, 100}, At("192.0.2.1"));
  limits.Opened({7, 101}, At("192.0.2.2"));
  EXPECT_EQ(limits.count(), 1u);
  EXPECT_EQ(limits.Judge(At("192.0.2.1")), Verdict::kAdmit);
  EXPECT_EQ(limits.Judge(At("192.0.2.2")), Verdict::kTooManyFromAddress);
  EXPECT_THAT(limits.NextInTurn(5), ElementsAre(ConnectionId{7, 101}));
}

TEST(ConnectionLimitsTest, ANumberThatIsNotThereIsNotMissed) {
  ConnectionLimits limits({.in_all = 1, .per_address = 1});
  limits.Closed(7);
  EXPECT_EQ(limits.count(), 0u);
  EXPECT_THAT(limits.NextInTurn(5), IsEmpty());
}

TEST(ConnectionLimitsTest, ARefusalNamesWhatItRestsOn) {
  ConnectionLimits limits({.in_all = 3, .per_address = 2});
  limits.Opened({7, 100}, At("192.0.2.1"));
  limits.Opened({8, 101}, At("192.0.2.2"));
  limits.Opened({9, 102}, At("192.0.2.1"));
  const net::Address one = At("192.0.2.1");
  EXPECT_THAT(limits.Suspects(Verdict::kAdmit, one, kNow), IsEmpty());
  EXPECT_THAT(limits.Suspects(Verdict::kTooManyFromAddress, one, kNow),
              UnorderedElementsAre(ConnectionId{7, 100}, ConnectionId{9, 102}));
  EXPECT_THAT(limits.Suspects(Verdict::kTooManyInAll, At("192.0.2.9"), kNow), SizeIs(3));
  EXPECT_THAT(limits.Suspects(Verdict::kTooManyFromAddress, At("192.0.2.9"), kNow), IsEmpty());
}

// 20 microseconds for each.
TEST(ConnectionLimitsTest, WhoKnocksAllTheTimeHasThemLookedAtNowAndThen) {
  ConnectionLimits limits({.in_all = 2000, .per_address = 1000});
  const net::Address loud = At("192.0.2.1");
  for (int i = 0; i < 1000; ++i) limits.Opened({i, 0}, loud);
  for (int i = 1000; i < 2000; ++i) limits.Opened({i, 0}, At("192.0.2.2"));
  const auto checks = [&](Verdict verdict, const net::Address& from, absl::Duration now) {
    return limits.Suspects(verdict, from, now).size();
  };
  EXPECT_EQ(checks(Verdict::kTooManyFromAddress, loud, kNow), 1000u);
  EXPECT_EQ(checks(Verdict::kTooManyFromAddress, loud, kNow + absl::Milliseconds(19)), 0u);
  // The other one does not suffer.
  EXPECT_EQ(checks(Verdict::kTooManyFromAddress, At("192.0.2.2"), kNow + absl::Milliseconds(19)),
            1000u);
  EXPECT_EQ(checks(Verdict::kTooManyFromAddress, loud, kNow + absl::Milliseconds(20)), 1000u);
  EXPECT_EQ(checks(Verdict::kTooManyInAll, loud, kNow), 2000u);
  EXPECT_EQ(checks(Verdict::kTooManyInAll, loud, kNow + absl::Milliseconds(39)), 0u);
  EXPECT_EQ(checks(Verdict::kTooManyInAll, loud, kNow + absl::Milliseconds(40)), 2000u);
}

TEST(ConnectionLimitsTest, AllAreLookedAtInTurn) {
  ConnectionLimits limits({.in_all = 10, .per_address = 10});
  for (int i = 1; i <= 5; ++i) limits.Opened({i, 0}, At("192.0.2.1"));
  EXPECT_THAT(limits.NextInTurn(2), ElementsAre(ConnectionId{1}, ConnectionId{2}));
  EXPECT_THAT(limits.NextInTurn(2), ElementsAre(ConnectionId{3}, ConnectionId{4}));
  limits.Closed(4);
  EXPECT_THAT(limits.NextInTurn(2), ElementsAre(ConnectionId{5}, ConnectionId{1}));
  EXPECT_THAT(limits.NextInTurn(9), SizeIs(4));
}

TEST(ConnectionLimitsTest, AMillionAddressesLeaveNothingBehind) {
  ConnectionLimits limits({.in_all = 100, .per_address = 1});
  for (uint32_t i = 0; i < 1'000'000; ++i) {
    ASSERT_EQ(limits.Judge(Many(i)), Verdict::kAdmit);
    limits.Opened({static_cast<int>(i % 50), i}, Many(i));
    ASSERT_LE(limits.addresses(), 50u);
  }
  for (int i = 0; i < 50; ++i) limits.Closed(i);
  EXPECT_EQ(limits.count(), 0u);
  EXPECT_EQ(limits.addresses(), 0u);
}

// Against a plain count of what is open.
TEST(ConnectionLimitsTest, TheCountsAreTrueWhateverComesAndGoes) {
  constexpr size_t kNumbers = 40;
  ConnectionLimits limits({.in_all = 1000, .per_address = 5});
  std::array<int, kNumbers> from;
  from.fill(-1);
  uint32_t random = 1;
  for (int step = 0; step < 20'000; ++step) {
    random = random * 1664525 + 1013904223;
    const size_t number = (random >> 8) % kNumbers;
    const int address = static_cast<int>((random >> 20) % 4);
    if ((random >> 30) == 0) {
      limits.Closed(static_cast<int>(number));
      from[number] = -1;
    } else {
      limits.Opened({static_cast<int>(number), random}, Many(static_cast<uint32_t>(address)));
      from[number] = address;
    }
    for (int a = 0; a < 4; ++a) {
      const bool full = std::count(from.begin(), from.end(), a) >= 5;
      ASSERT_EQ(limits.Judge(Many(static_cast<uint32_t>(a))),
                full ? Verdict::kTooManyFromAddress : Verdict::kAdmit);
    }
  }
}

}  // namespace
}  // namespace wormhole::relay
