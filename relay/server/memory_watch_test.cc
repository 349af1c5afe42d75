#include "relay/server/memory_watch.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "relay/monitor/process_usage.h"

namespace wormhole::relay {
namespace {

TEST(MemoryMarkTest, IsShortFromSevenEighthsUntilThreeQuarters) {
  MemoryMark mark(800);
  EXPECT_FALSE(mark.IsShortAt(699));
  EXPECT_TRUE(mark.IsShortAt(700));
  EXPECT_TRUE(mark.IsShortAt(600));
  EXPECT_FALSE(mark.IsShortAt(599));
  EXPECT_FALSE(mark.IsShortAt(699));
}

TEST(MemoryMarkTest, WithoutALimitItIsNeverShort) {
  MemoryMark mark(0);
  EXPECT_FALSE(mark.IsShortAt(UINT64_MAX));
}

TEST(MemoryWatchTest, TellsOnceWhenItIsShort) {
  std::vector<bool> told;
  MemoryWatch watch(1, [&](bool is_short) { told.push_back(is_short); });
  for (int n = 0; n < 100; ++n) watch.Poll();
  EXPECT_EQ(told, std::vector<bool>{true});
}

TEST(MemoryWatchTest, TellsNothingWhileThereIsEnough) {
  std::vector<bool> told;
  MemoryWatch watch(uint64_t{1} << 50, [&](bool is_short) { told.push_back(is_short); });
  for (int n = 0; n < 100; ++n) watch.Poll();
  EXPECT_TRUE(told.empty());
}

// Sanitizers have a malloc of their own, which trims nothing.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// 128 MiB in small blocks, of which the last stays: free gives none of it back.
class Garbage {
 public:
  static constexpr double kMost = 16 << 20;

  Garbage() : taken_(128 << 10) {
    for (auto& block : taken_) {
      block.reset(new char[1000]);
      std::memset(block.get(), 1, 1000);
    }
  }
  void Drop() {
    for (size_t n = 0; n + 1 < taken_.size(); ++n) taken_[n].reset();
  }

 private:
  std::vector<std::unique_ptr<char[]>> taken_;
};

TEST(MemoryWatchTest, GivesBackWhatWasTakenBeforeItsFirstTrim) {
  const double before = ResidentBytes();
  MemoryWatch watch(0, [](bool) {});
  Garbage garbage;
  for (int n = 0; n < 100; ++n) watch.Poll();
  garbage.Drop();
  ASSERT_GT(ResidentBytes(), before + 4 * Garbage::kMost) << "there is nothing to give back";
  for (int n = 0; n < 100; ++n) watch.Poll();
  EXPECT_LT(ResidentBytes(), before + Garbage::kMost);
}

TEST(MemoryWatchTest, WhatNobodyUsesMakesNothingShort) {
  const auto before = static_cast<uint64_t>(ResidentBytes());
  std::vector<bool> told;
  const auto limit = before + (96 << 20);
  MemoryWatch watch(limit, [&](bool is_short) { told.push_back(is_short); });
  for (int n = 0; n < 10; ++n) watch.Poll();
  Garbage garbage;
  garbage.Drop();
  ASSERT_GT(ResidentBytes(), limit) << "there is nothing to give back";
  watch.Poll();
  EXPECT_TRUE(told.empty());
  EXPECT_LT(ResidentBytes(), before + Garbage::kMost);
}

TEST(MemoryWatchTest, IsShortNoMoreWithinASecondOfWhenItIsGone) {
  const auto before = static_cast<uint64_t>(ResidentBytes());
  std::vector<bool> told;
  MemoryWatch watch(before + (96 << 20), [&](bool is_short) { told.push_back(is_short); });
  Garbage garbage;
  for (int n = 0; n < 10; ++n) watch.Poll();
  EXPECT_EQ(told, std::vector<bool>{true});
  garbage.Drop();
  for (int n = 0; n < 4; ++n) watch.Poll();
  EXPECT_EQ(told, (std::vector<bool>{true, false}));
}
#endif

}  // namespace
}  // namespace wormhole::relay
