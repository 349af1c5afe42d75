#include "relay/channel/post_budget.h"

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

constexpr absl::Duration kBegin = absl::Hours(5);
constexpr uint64_t kCost = PostBudget::kFrameCost;
constexpr uint64_t kRate = 100'000;

ChannelLimits Limits() {
  ChannelLimits limits;
  limits.window_frames = 4;
  limits.window_bytes = 300'000;
  return limits;
}

PostBudget Full() { return {kRate, Limits()}; }

// Takes frames of so many bytes for as long as it may; how many those were.
int TakeAll(PostBudget& budget, size_t bytes, absl::Duration now) {
  int frames = 0;
  for (; budget.Allows(now); ++frames) budget.Take(bytes, now);
  return frames;
}

TEST(PostBudget, AWholeWindowOfTheSmallestOrTheLargestFramesNeverWaits) {
  for (const size_t bytes : {size_t{1}, size_t{300'000 / 4}}) {
    PostBudget budget = Full();
    for (int n = 0; n < 4; ++n) {
      EXPECT_TRUE(budget.Allows(kBegin));
      budget.Take(bytes, kBegin);
    }
    EXPECT_TRUE(budget.Allows(kBegin)) << "what follows the last one is read at once, too";
  }
}

TEST(PostBudget, ASecondsBytesAreABurstWhereTheyAreMoreThanAWindow) {
  PostBudget budget(10'000'000, Limits());
  budget.Take(10'000'000 - kCost, kBegin);
  EXPECT_TRUE(budget.Allows(kBegin));
  budget.Take(0, kBegin);
  EXPECT_FALSE(budget.Allows(kBegin));
}

TEST(PostBudget, WhoNeverStopsGetsItsRate) {
  constexpr size_t kBytes = 10'000 - kCost;
  PostBudget budget = Full();
  TakeAll(budget, kBytes, kBegin);
  int frames = 0;
  for (int quarter = 1; quarter <= 4000; ++quarter) {
    frames += TakeAll(budget, kBytes, kBegin + quarter * absl::Milliseconds(250));
  }
  EXPECT_EQ(frames, 10'000);
}

TEST(PostBudget, ShortFramesCostMoreThanTheirBytes) {
  PostBudget budget = Full();
  TakeAll(budget, 0, kBegin);
  EXPECT_NEAR(TakeAll(budget, 0, kBegin + absl::Seconds(1)), kRate / kCost, 1);
}

TEST(PostBudget, AFrameBeyondAllThatItHoldsPassesAndIsOwed) {
  PostBudget budget = Full();
  budget.Take(900'000, kBegin);  // it held 300,000 and the costs of four
  const absl::Duration owed = absl::Seconds(600'000 - 3.0 * kCost) / double{kRate};
  EXPECT_FALSE(budget.Allows(kBegin + owed - absl::Milliseconds(1)));
  EXPECT_TRUE(budget.Allows(kBegin + owed + absl::Milliseconds(1)));
}

TEST(PostBudget, ItIsFullAgainAndHoldsNoMoreThanThat) {
  PostBudget budget = Full();
  EXPECT_TRUE(budget.IsFull(kBegin));
  const int burst = TakeAll(budget, 20'000, kBegin);
  EXPECT_FALSE(budget.IsFull(kBegin));
  EXPECT_TRUE(budget.IsFull(kBegin + absl::Seconds(4)));
  EXPECT_EQ(TakeAll(budget, 20'000, kBegin + absl::Hours(1000)), burst);
}

TEST(PostBudget, WithoutALimitNobodyWaits) {
  PostBudget budget(0, Limits());
  for (int n = 0; n < 10'000; ++n) budget.Take(1 << 20, kBegin);
  EXPECT_TRUE(budget.Allows(kBegin));
  EXPECT_TRUE(budget.IsFull(kBegin));
}

}  // namespace
}  // namespace wormhole::relay
