#include "relay/clock/clock.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

// A machine whose clocks go as they are told.
struct Machine {
  absl::Time wall = absl::FromUnixSeconds(1'700'000'000);
  absl::Duration boot = absl::Hours(5);

  // Time goes by.
  void Go(absl::Duration by) {
    wall += by;
    boot += by;
  }
  MachineTime Now() const { return {.wall = wall, .boot = boot}; }
};

class ClockTest : public ::testing::Test {
 protected:
  // By how far the relay's time is not what it would be had nobody set anything.
  absl::Duration Error() { return clock_.Now() - (start_ + (machine_.boot - absl::Hours(5))); }
  absl::Duration Offset() { return clock_.Read().offset; }

  Machine machine_;
  const absl::Time start_ = machine_.wall;
  RelayClock clock_{[this] { return machine_.Now(); }};
};

TEST_F(ClockTest, IsTheMachines) {
  for (int i = 0; i < 3; ++i) {
    machine_.Go(absl::Milliseconds(250));
    EXPECT_EQ(clock_.Now(), machine_.wall);
  }
  EXPECT_EQ(Offset(), absl::ZeroDuration());
  EXPECT_TRUE(clock_.TakeChanges().empty());
}

// The time that the machine sleeps counts, and so does that for which nobody has looked.
TEST_F(ClockTest, TimeGoesByWhileTheMachineSleeps) {
  machine_.Go(absl::Hours(48));
  EXPECT_EQ(clock_.Now(), machine_.wall);
  EXPECT_EQ(clock_.state().steps, 0u);
}

TEST_F(ClockTest, SlewsAndSmallStepsAreFollowed) {
  for (int i = 0; i < 100; ++i) {
    machine_.Go(absl::Milliseconds(250));
    machine_.wall += absl::Milliseconds(100);
    EXPECT_EQ(clock_.Now(), machine_.wall);
  }
  machine_.wall -= absl::Seconds(60);
  EXPECT_EQ(clock_.Now(), machine_.wall);
  EXPECT_EQ(clock_.state().steps, 0u);
}

TEST_F(ClockTest, StepsAreNot) {
  const absl::Duration steps[] = {absl::Seconds(61), absl::Hours(-2), absl::Hours(72),
                                  absl::Hours(24 * 365 * -50)};
  absl::Duration sum;
  uint64_t count = 0;
  for (const absl::Duration step : steps) {
    machine_.Go(absl::Milliseconds(250));
    machine_.wall += step;
    sum += step;
    EXPECT_EQ(Error(), absl::ZeroDuration()) << step;
    EXPECT_EQ(Offset(), -sum);
    EXPECT_EQ(clock_.state().steps, ++count);
    machine_.Go(absl::Hours(1));
    EXPECT_EQ(Error(), absl::ZeroDuration()) << step;
  }
}

TEST_F(ClockTest, AClockThatIsSetRightAgainIsFollowed) {
  machine_.wall += absl::Hours(72);
  EXPECT_EQ(Offset(), absl::Hours(-72));
  machine_.wall -= absl::Hours(72) + absl::Seconds(20);
  EXPECT_EQ(Offset(), absl::ZeroDuration());
  EXPECT_EQ(clock_.Now(), machine_.wall);
}

TEST_F(ClockTest, OtherRelaysTimeIsTaken) {
  clock_.Shift(absl::Hours(2));
  EXPECT_EQ(clock_.Now(), machine_.wall + absl::Hours(2));
  machine_.Go(absl::Hours(1));
  EXPECT_EQ(clock_.Now(), machine_.wall + absl::Hours(2));
  clock_.Shift(absl::Seconds(-61));
  EXPECT_EQ(clock_.Now(), machine_.wall + absl::Hours(2) - absl::Seconds(61));
  // Somebody sets the clock right.
  machine_.wall += absl::Hours(2);
  EXPECT_EQ(Offset(), absl::ZeroDuration() - absl::Seconds(61));
  machine_.wall -= absl::Seconds(61);
  EXPECT_EQ(clock_.Now(), machine_.wall);
}

TEST_F(ClockTest, TellsEachChangeOnce) {
  machine_.wall += absl::Hours(72);
  clock_.Shift(absl::Hours(1));
  clock_.SetOutvoted(true);
  clock_.SetOutvoted(true);
  const std::vector<ClockChange> changes = clock_.TakeChanges();
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_EQ(changes[0].why, ClockChange::Why::kSet);
  EXPECT_EQ(changes[0].by, absl::Hours(72));
  EXPECT_EQ(changes[0].offset, absl::Hours(-72));
  EXPECT_EQ(changes[1].why, ClockChange::Why::kGroup);
  EXPECT_EQ(changes[1].by, absl::Hours(1));
  EXPECT_EQ(changes[1].offset, absl::Hours(-71));
  EXPECT_EQ(changes[2].why, ClockChange::Why::kOutvoted);
  EXPECT_TRUE(changes[2].outvoted);
  EXPECT_TRUE(clock_.TakeChanges().empty());
}

TEST(MachineNowTest, GoesOn) {
  const MachineTime before = MachineNow();
  const MachineTime after = MachineNow();
  EXPECT_GT(before.boot, absl::ZeroDuration());
  EXPECT_GE(after.boot, before.boot);
  EXPECT_GT(after.wall, absl::FromUnixSeconds(1'700'000'000));
}

}  // namespace
}  // namespace wormhole::relay
