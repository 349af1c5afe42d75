#include "tests/store/crash_disk.h"

#include <random>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using ::testing::Contains;
using ::testing::Optional;
using Result = CrashDisk::Result;

constexpr size_t kAll = 1 << 20;

TEST(CrashDiskTest, ReadsSeeWritesAtOnce) {
  CrashDisk disk;
  disk.Open("f");
  disk.Write("f", 2, "abc");
  disk.Write("f", 3, "X");
  EXPECT_THAT(disk.Read("f", 0, kAll), Optional(std::string("\0\0aXc", 5)));
  disk.Truncate("f", 3);
  EXPECT_THAT(disk.Read("f", 1, kAll), Optional(std::string("\0a", 2)));
  EXPECT_THAT(disk.Size("f"), Optional(3u));
}

TEST(CrashDiskTest, WhatWasSyncedSurvives) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    CrashDisk disk;
    disk.Open("f");
    disk.Write("f", 0, "kept");
    disk.Sync("f");
    disk.LosePowerAfter(1);
    EXPECT_EQ(disk.Write("f", 0, "lost"), Result::kNoPower);
    EXPECT_EQ(disk.Read("f", 0, kAll), std::nullopt);
    disk.RestorePower(random);
    EXPECT_THAT(disk.Read("f", 0, kAll), Optional(std::string("kept")));
  }
}

TEST(CrashDiskTest, WhatWasNotSyncedComesOutInEveryWay) {
  const std::string sector(CrashDisk::kSectorBytes, 'n');
  const std::string zeros(CrashDisk::kSectorBytes, 'o');
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed);
    CrashDisk disk;
    disk.Open("f");
    disk.Write("f", 0, zeros + zeros);
    disk.Sync("f");
    disk.Write("f", 0, sector + sector);
    disk.RestorePower(random);
    seen.insert(*disk.Read("f", 0, kAll));
  }
  EXPECT_THAT(seen, ::testing::UnorderedElementsAre(zeros + zeros, zeros + sector, sector + zeros,
                                                    sector + sector));
}

TEST(CrashDiskTest, NamesThatWereNotSyncedMayVanishAndRemovedOnesComeBack) {
  std::set<std::pair<bool, bool>> seen;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    CrashDisk disk;
    disk.Open("removed");
    disk.Sync("removed");
    disk.Remove("removed");
    disk.Open("new");
    disk.RestorePower(random);
    seen.insert({disk.Size("new").has_value(), disk.Size("removed").has_value()});
  }
  EXPECT_EQ(seen.size(), 4u);
}

TEST(CrashDiskTest, ADiskThatLiesKeepsNothingForCertain) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    CrashDisk disk(/*lies_about_sync=*/true);
    disk.Open("f");
    disk.Write("f", 0, "x");
    EXPECT_EQ(disk.Sync("f"), Result::kOk);
    disk.RestorePower(random);
    seen.insert(disk.Read("f", 0, kAll).value_or("none"));
  }
  EXPECT_THAT(seen, Contains("none"));
}

TEST(CrashDiskTest, FailuresAreInjectedAndEnd) {
  CrashDisk disk;
  disk.Open("f");
  disk.Fail(Result::kFull);
  EXPECT_EQ(disk.Write("f", 0, "x"), Result::kFull);
  disk.Fail(Result::kOk);
  EXPECT_EQ(disk.Write("f", 0, "x"), Result::kOk);
  disk.FailSyncs(Result::kBroken);
  EXPECT_EQ(disk.Write("f", 0, "x"), Result::kOk);
  EXPECT_EQ(disk.Sync("f"), Result::kBroken);
}

}  // namespace
}  // namespace wormhole::relay
