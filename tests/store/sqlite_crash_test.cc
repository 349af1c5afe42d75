// SQLite over a disk that loses what was not synced: what `done` acknowledged is never lost.
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/store/sqlite/sqlite_store.h"
#include "tests/store/contract.h"
#include "tests/store/crash_disk.h"
#include "tests/store/crash_run.h"
#include "tests/store/crash_vfs.h"
#include "tests/support/nightly.h"
#include "tests/support/temp_folder.h"

namespace wormhole::relay {
namespace {

uint64_t SeedCount() { return IsNightly() ? 50'000 : 200; }

// Each restart is a power failure.
class CrashingUnderTest : public StoreUnderTest {
 public:
  CrashingUnderTest() { Open(); }
  Store& store() override { return *store_; }
  void Restart() override {
    disk_.LosePowerAfter(1);
    store_.reset();
    disk_.RestorePower(random_);
    Open();
  }

 private:
  void Open() {
    auto store = SqliteStore::Open(folder_.File("crash.db"), {.vfs = vfs_.name()});
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  std::mt19937_64 random_{1};
  testing::TempFolder folder_;
  CrashDisk disk_;
  CrashVfs vfs_{&disk_};
  std::unique_ptr<SqliteStore> store_;
};

std::unique_ptr<StoreUnderTest> MakeCrashing() { return std::make_unique<CrashingUnderTest>(); }

INSTANTIATE_TEST_SUITE_P(CrashingSqlite, StoreContractTest, ::testing::Values(&MakeCrashing));
INSTANTIATE_TEST_SUITE_P(CrashingSqlite, StoreDurabilityTest, ::testing::Values(&MakeCrashing));

TEST(SqliteCrashTest, NothingAcknowledgedIsLost) {
  for (uint64_t seed = 0, count = SeedCount(); seed < count; ++seed) {
    ASSERT_EQ(RunCrashes({.seed = seed}), "");
  }
}

TEST(SqliteCrashTest, NothingAcknowledgedIsLostOnADiskThatFailsToo) {
  for (uint64_t seed = 0, count = SeedCount(); seed < count; ++seed) {
    ASSERT_EQ(RunCrashes({.seed = seed, .failing_disk = true}), "");
  }
}

// The test of the test: without syncs it finds losses, and soon.
TEST(SqliteCrashTest, ADiskThatLiesAboutItsSyncsIsCaught) {
  constexpr uint64_t kSeeds = 40;
  uint64_t caught = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    if (!RunCrashes({.seed = seed, .lying_disk = true}).empty()) ++caught;
  }
  EXPECT_GT(caught, kSeeds / 2);
}

}  // namespace
}  // namespace wormhole::relay
