#include "relay/store/etcd/clock_sync.h"

#include <optional>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(3);

class ClockSyncTest : public ::testing::Test {
 protected:
  // The elder relay's report, whose time is `ahead` of this machine's.
  ClockSighting Elder(absl::Duration ahead, int64_t revision) {
    return {.key = "elder",
            .created = 1,
            .modified = revision,
            .report = ClockReport{.time = machine_.wall + ahead}};
  }
  void Pass(absl::Duration time) {
    now_ += time;
    machine_.wall += time;
    machine_.boot += time;
  }
  // What is told now, under the lease 5, is told.
  bool Tell(int64_t lease = 5) {
    const std::optional<ClockSync::Update> update = sync_.Due(lease, now_);
    if (update) sync_.NoteTold(*update);
    return update.has_value();
  }

  absl::Duration now_ = absl::Hours(5);
  MachineTime machine_{.wall = absl::FromUnixSeconds(1'000'000), .boot = absl::Hours(1)};
  RelayClock clock_{[this] { return machine_; }};
  ClockSync sync_{&clock_, "own", kInterval};
};

TEST_F(ClockSyncTest, TellsOfThisClockEveryInterval) {
  const std::optional<ClockSync::Update> first = sync_.Due(5, now_);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->report.time, machine_.wall);
  EXPECT_EQ(first->lease, 5);
  EXPECT_TRUE(sync_.Due(5, now_).has_value()) << "nobody has been told yet";
  sync_.NoteTold(*first);
  Pass(kInterval - absl::Milliseconds(1));
  EXPECT_FALSE(Tell());
  Pass(absl::Milliseconds(1));
  EXPECT_TRUE(Tell());
}

TEST_F(ClockSyncTest, TellsAtOnceUnderAnotherLeaseAndOfAnotherOffset) {
  EXPECT_TRUE(Tell());
  EXPECT_TRUE(Tell(/*lease=*/6));
  EXPECT_FALSE(Tell(/*lease=*/6));
  machine_.wall += absl::Hours(1);  // somebody sets it
  EXPECT_TRUE(Tell(/*lease=*/6));
  EXPECT_FALSE(Tell(/*lease=*/6));
}

TEST_F(ClockSyncTest, FollowsTheElderRelay) {
  sync_.TakeAll({Elder(absl::Hours(2), 1)}, /*restored=*/false);
  EXPECT_EQ(clock_.state().offset, absl::Hours(2));
  EXPECT_TRUE(sync_.sure()) << "one that is ahead is so for certain";
}

// One that is behind may have told so long ago.
TEST_F(ClockSyncTest, IsSureWhenAnElderThatIsBehindHasToldItsTimeAgain) {
  sync_.TakeAll({Elder(-absl::Hours(2), 1)}, /*restored=*/false);
  EXPECT_EQ(clock_.state().offset, -absl::Hours(2));
  EXPECT_FALSE(sync_.sure());
  Pass(kInterval);
  sync_.Take(Elder(-absl::Hours(2), 2));
  EXPECT_TRUE(sync_.sure());
  EXPECT_EQ(clock_.state().offset, -absl::Hours(2));
}

}  // namespace
}  // namespace wormhole::relay
