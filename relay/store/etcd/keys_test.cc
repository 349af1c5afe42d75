// Where things are in etcd, and under which leases.
#include "relay/store/etcd/keys.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "relay/store/etcd/leases.h"

namespace wormhole::relay {
namespace {

constexpr Role kInitiator = Role::kInitiator;
constexpr Role kReceiver = Role::kReceiver;

const EtcdKeys kKeys("w/");

TEST(EtcdKeysTest, KeysAreReadBack) {
  for (const std::string app : {"a", "a/b", "a%2Fb", "%", "/", "ä 1"}) {
    const ChannelKey key = {app, 999'999'999};
    EXPECT_EQ(kKeys.Parse(kKeys.Record(key))->channel, key);
    EXPECT_EQ(kKeys.Parse(kKeys.Cursor(key, kReceiver))->role, kReceiver);
    EXPECT_EQ(kKeys.Parse(kKeys.Arrival(key, kReceiver))->kind, EtcdKeys::Place::Kind::kArrival);
    EXPECT_LT(kKeys.Arrival(key, kReceiver), kKeys.EndOfLogs(key));
    EXPECT_EQ(kKeys.Parse(kKeys.Frame(key, kInitiator, 12))->number, 12u);
    EXPECT_EQ(kKeys.Parse(kKeys.Side(app, "side")), std::nullopt);
  }
  // What relays write of their clocks, they watch beside the channels.
  const std::string clock = kKeys.Clock("one");
  EXPECT_EQ(kKeys.Parse(clock), std::nullopt);
  EXPECT_TRUE(clock.starts_with(kKeys.Clocks()));
  EXPECT_GE(clock, kKeys.Watched());
  for (const char* wrong :
       {"", "w/v1/", "w/v1/ch/a", "w/v1/ch/a/0", "w/v1/ch/a/1000000000", "w/v1/ch/a/1/x",
        "w/v1/st/a/1/xi", "w/v1/st/a/1/lx", "w/v1/fr/a/1/i", "w/v1/fr/a/1/i/x", "w/v1/ch/a/01",
        "w/v1/ch/a%2f/1", "w/v1/fr/a/1/i/12", "w/v2/ch/a/1", "v1/ch/a/1"}) {
    EXPECT_EQ(kKeys.Parse(wrong), std::nullopt) << wrong;
  }
}

TEST(EtcdKeysTest, TheEndOfAPrefix) {
  EXPECT_EQ(EndOfPrefix("a/"), "a0");
  EXPECT_EQ(EndOfPrefix("a\xff"), "b");
  EXPECT_EQ(EndOfPrefix("\xff"), std::string(1, '\0'));
}

TEST(EtcdLeasesTest, AreSharedByTenMinutes) {
  EtcdLeases leases;
  const absl::Time due = absl::FromUnixSeconds(600'000);
  const EtcdLeases::Now now{.wall = due, .steady = absl::Hours(1)};
  leases.Add(due, 1, now);
  EXPECT_EQ(leases.Find(due + absl::Seconds(599), now), 1);
  EXPECT_EQ(leases.Find(due + absl::Seconds(600), now), 0);
  EXPECT_EQ(EtcdLeases::TtlOf(due + absl::Seconds(1), now), absl::Minutes(70));
}

TEST(EtcdLeasesTest, WhatIsOverdueHasALeaseOfItsOwnTime) {
  EtcdLeases leases;
  const EtcdLeases::Now now{.wall = absl::FromUnixSeconds(600'000), .steady = absl::Hours(1)};
  const absl::Time long_ago = now.wall - absl::Hours(100);
  EXPECT_EQ(EtcdLeases::TtlOf(long_ago, now), absl::Minutes(70));
  leases.Add(long_ago, 1, now);
  EXPECT_EQ(leases.Find(long_ago, now), 1);
}

// The clock was a day ahead, and is set right: a lease of then ends too soon for a channel of now.
TEST(EtcdLeasesTest, AClockThatIsSetBackGetsNewLeases) {
  EtcdLeases leases;
  const absl::Time right = absl::FromUnixSeconds(600'000);
  const EtcdLeases::Now ahead{.wall = right + absl::Hours(24), .steady = absl::Hours(1)};
  const absl::Time due = right + absl::Hours(25);
  leases.Add(due, 1, ahead);
  EXPECT_EQ(leases.Find(due, ahead), 1);
  const EtcdLeases::Now now{.wall = right, .steady = absl::Hours(1)};
  EXPECT_EQ(leases.Find(due, now), 0);
  leases.Add(due, 2, now);
  EXPECT_EQ(leases.Find(due, now), 2);
}

TEST(EtcdLeasesTest, ThoseThatHaveEndedAreLetGo) {
  EtcdLeases leases;
  const EtcdLeases::Now now{.wall = absl::FromUnixSeconds(600'000), .steady = absl::Hours(1)};
  leases.Add(now.wall, 1, now);
  const EtcdLeases::Now later{.wall = now.wall, .steady = now.steady + absl::Hours(2)};
  leases.DropEnded(later);
  EXPECT_EQ(leases.Find(now.wall, now), 0);
}

}  // namespace
}  // namespace wormhole::relay
