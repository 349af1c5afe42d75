// A disk that is full or broken: STORE_AWAY while it lasts, and nothing wrong afterwards.
#include <sqlite3.h>

#include <cstdint>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/store/sqlite/sqlite_store.h"
#include "tests/store/blocking_store.h"
#include "tests/store/crash_disk.h"
#include "tests/store/crash_vfs.h"
#include "tests/support/temp_folder.h"

namespace wormhole::relay {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using Result = CrashDisk::Result;

class SqliteFaultsTest : public ::testing::Test {
 protected:
  SqliteFaultsTest() {
    Open();
    EXPECT_EQ(Call().Put(key_, 0, Record("i", "r")), PutOutcome::kDone);
  }

  void Open() {
    auto store = SqliteStore::Open(file_, {.vfs = vfs_.name(), .checkpoint_pages = 20});
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  BlockingStore Call() { return BlockingStore(*store_); }
  absl::Status TryAppend(uint64_t number) {
    return Call().TryAppend(key_, 1, Role::kInitiator, number, "x").status();
  }

  const ChannelKey key_ = {"example.com/app1", 7};
  testing::TempFolder folder_;
  const std::string file_ = folder_.File("faults.db");
  CrashDisk disk_;
  CrashVfs vfs_{&disk_};
  std::unique_ptr<SqliteStore> store_;
};

TEST_F(SqliteFaultsTest, AFullDiskIsStoreAwayUntilThereIsRoom) {
  disk_.Fail(Result::kFull);
  EXPECT_TRUE(IsStoreAway(TryAppend(1)));
  EXPECT_TRUE(IsStoreAway(TryAppend(1)));
  EXPECT_TRUE(IsStoreAway(Call().TryPut({"new app", 1}, 0, Record("j")).status()));
  disk_.Fail(Result::kOk);
  EXPECT_TRUE(TryAppend(1).ok());
  EXPECT_EQ(Call().Put({"new app", 1}, 0, Record("j")), PutOutcome::kDone);
  EXPECT_THAT(Call().Read(key_, Role::kInitiator), ElementsAre(Frame(1u, "x")));
}

TEST_F(SqliteFaultsTest, TheMessageSaysWhatHappenedToWhichFile) {
  disk_.Fail(Result::kFull);
  const absl::Status status = TryAppend(1);
  EXPECT_THAT(std::string(status.message()), HasSubstr("full"));
  EXPECT_THAT(std::string(status.message()), HasSubstr(file_));
}

TEST_F(SqliteFaultsTest, TheOperatorIsToldWhyTheStoreFailsAndWhenItWritesAgain) {
  std::vector<std::string> told;
  store_.reset();
  auto store = SqliteStore::Open(
      file_, {.vfs = vfs_.name(), .on_trouble = [&told](const absl::Status& status) {
                told.push_back(status.ok() ? "works" : std::string(status.message()));
              }});
  ASSERT_TRUE(store.ok()) << store.status();
  store_ = *std::move(store);
  disk_.Fail(Result::kFull);
  EXPECT_TRUE(IsStoreAway(TryAppend(1)));
  EXPECT_EQ(Call().Load(key_)->log(Role::kInitiator).stored, 0u);  // a read shows nothing
  EXPECT_TRUE(IsStoreAway(TryAppend(1)));
  disk_.Fail(Result::kOk);
  EXPECT_TRUE(TryAppend(1).ok());
  EXPECT_TRUE(TryAppend(2).ok());
  store_.reset();
  ASSERT_THAT(told, Contains("works").Times(1));
  EXPECT_EQ(told.back(), "works");
  told.pop_back();
  EXPECT_THAT(told, AllOf(SizeIs(Ge(2u)), Each(HasSubstr("database or disk is full"))));
}

TEST_F(SqliteFaultsTest, CommitsAreToldOfThatHaveWrittenSomething) {
  std::vector<size_t> told;
  store_.reset();
  auto store = SqliteStore::Open(
      file_, {.vfs = vfs_.name(), .on_commit = [&told](absl::Duration took, size_t count) {
                EXPECT_GT(took, absl::ZeroDuration());
                told.push_back(count);
              }});
  ASSERT_TRUE(store.ok()) << store.status();
  store_ = *std::move(store);
  EXPECT_TRUE(TryAppend(1).ok());
  EXPECT_EQ(Call().Load(key_)->log(Role::kInitiator).stored, 1u);
  disk_.Fail(Result::kFull);
  EXPECT_TRUE(IsStoreAway(TryAppend(2)));
  disk_.Fail(Result::kOk);
  EXPECT_TRUE(TryAppend(2).ok());
  store_.reset();
  EXPECT_THAT(told, ElementsAre(1u, 1u));
}

// Whom would a relay hear it from that nobody comes to while its store fails?
TEST_F(SqliteFaultsTest, AStoreThatFailsTriesByItself) {
  std::vector<std::string> told;
  store_.reset();
  store_ = SqliteStore::Open(file_, {.vfs = vfs_.name(),
                                     .on_trouble =
                                         [&told](const absl::Status& status) {
                                           told.push_back(status.ok() ? "works" : "fails");
                                         }})
               .value();
  EXPECT_TRUE(Call().Due(At(0)).empty());
  disk_.Fail(Result::kFull);
  EXPECT_TRUE(IsStoreAway(TryAppend(1)));
  std::promise<absl::Status> tried;
  store_->Due(At(0), 1, [&tried](const auto& due) { tried.set_value(due.status()); });
  store_->Flush();
  EXPECT_TRUE(IsStoreAway(tried.get_future().get()));
  disk_.Fail(Result::kOk);
  EXPECT_TRUE(Call().Due(At(0)).empty());
  store_.reset();
  EXPECT_THAT(told, ElementsAre("fails", "fails", "works"));
}

TEST_F(SqliteFaultsTest, AFullDiskIsStillRead) {
  EXPECT_TRUE(TryAppend(1).ok());
  disk_.Fail(Result::kFull);
  EXPECT_TRUE(IsStoreAway(TryAppend(2)));
  EXPECT_EQ(Call().Load(key_)->log(Role::kInitiator).stored, 1u);
  EXPECT_TRUE(TryAppend(1).ok());  // stored before: nothing to write
}

TEST_F(SqliteFaultsTest, AFailedSyncIsNotAcknowledged) {
  disk_.FailSyncs(Result::kBroken);
  EXPECT_TRUE(IsStoreAway(TryAppend(1)));
  disk_.FailSyncs(Result::kOk);
  EXPECT_EQ(Call().Load(key_)->log(Role::kInitiator).stored, 0u);
  EXPECT_EQ(Call().TryAppend(key_, 1, Role::kInitiator, 1, "y")->outcome, AppendOutcome::kDone);
  std::mt19937_64 random(1);
  disk_.LosePowerAfter(1);
  store_.reset();
  disk_.RestorePower(random);
  Open();
  EXPECT_THAT(Call().Read(key_, Role::kInitiator), ElementsAre(Frame(1u, "y")));
}

TEST_F(SqliteFaultsTest, AFailedBatchFailsAsAWhole) {
  std::vector<bool> away;
  const auto last = std::make_shared<std::promise<void>>();
  disk_.FailSyncs(Result::kBroken);
  // What an answer queues becomes one batch.
  store_->Load(key_, [&away, last, this](auto) {
    for (uint64_t n = 1; n <= 3; ++n) {
      store_->Append(key_, 1, Role::kInitiator, n, "x", [&away, last, n](auto result) {
        away.push_back(IsStoreAway(result.status()));
        if (n == 3) last->set_value();
      });
    }
  });
  store_->Flush();
  last->get_future().wait();
  EXPECT_THAT(away, ElementsAre(true, true, true));
  disk_.FailSyncs(Result::kOk);
  EXPECT_EQ(Call().Load(key_)->log(Role::kInitiator), LogState());
}

TEST_F(SqliteFaultsTest, TheLogOfTheFileDoesNotGrowForEver) {
  for (uint64_t n = 1; n <= 500; ++n) {
    ASSERT_TRUE(TryAppend(n).ok());
    ASSERT_TRUE(Call().Accept(key_, Role::kInitiator, n / 10 * 10).ok());
  }
  // 20 pages start a checkpoint; the log begins anew with the commit after it.
  EXPECT_LT(disk_.Size(file_ + "-wal").value_or(0), 40u * 4200u);
  EXPECT_LT(disk_.Size(file_).value_or(0), 40u * 4096u);
}

TEST(SqliteBusyTest, AnotherProgramThatWritesIsWaitedForAndThenStoreAway) {
  const testing::TempFolder folder;
  const std::string file = folder.File("relay.db");
  auto store = SqliteStore::Open(file);
  ASSERT_TRUE(store.ok()) << store.status();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  BlockingStore blocking(**store);
  EXPECT_TRUE(IsStoreAway(blocking.TryPut({"a", 1}, 0, Record("i")).status()));
  ASSERT_EQ(sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(blocking.Put({"a", 1}, 0, Record("i")), PutOutcome::kDone);
  sqlite3_close(other);
}

// A page of the tables is damaged, say: the batches can still be written.
TEST(SqliteFoldTest, WhatCannotGoIntoTheTablesFailsNoCallAndTheOperatorIsTold) {
  const testing::TempFolder folder;
  const std::string file = folder.File("relay.db");
  std::vector<std::string> told;
  const SqliteOptions options = {.fold_after = 0, .on_trouble = [&told](const absl::Status& why) {
                                   told.push_back(why.ok() ? "works" : std::string(why.message()));
                                 }};
  const auto execute = [&file](const char* sql) {
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &other), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(other, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(other);
  };
  auto store = SqliteStore::Open(file, options);
  ASSERT_TRUE(store.ok()) << store.status();
  BlockingStore call(**store);
  EXPECT_EQ(call.Put({"a", 1}, 0, Record("i")), PutOutcome::kDone);
  execute("CREATE TRIGGER damage BEFORE INSERT ON channels BEGIN SELECT RAISE(FAIL, 'no'); END");
  EXPECT_THAT(call.Due(At(0)), ::testing::IsEmpty());
  EXPECT_EQ(call.Put({"a", 2}, 0, Record("j")), PutOutcome::kDone);
  EXPECT_THAT(call.Due(At(0)), ::testing::IsEmpty());
  execute("DROP TRIGGER damage");
  EXPECT_THAT(call.Due(At(0)), ::testing::IsEmpty());
  store->reset();
  EXPECT_THAT(told, ElementsAre(HasSubstr("no"), HasSubstr("no"), "works"));
  auto again = SqliteStore::Open(file);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(BlockingStore(**again).FindSide("a", Side("i")), 1u);
  EXPECT_EQ(BlockingStore(**again).FindSide("a", Side("j")), 2u);
}

}  // namespace
}  // namespace wormhole::relay
