// What a program that reads the file for long, as a backup does, means for a store at work.
#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "relay/store/sqlite/sqlite_store.h"
#include "tests/store/blocking_store.h"
#include "tests/support/temp_folder.h"

namespace wormhole::relay {
namespace {

constexpr uint64_t kLogLimit = 64 << 20;  // PRAGMA journal_size_limit
constexpr size_t kFrame = 1 << 20;

class SqliteBackupTest : public ::testing::Test {
 protected:
  SqliteBackupTest() {
    EXPECT_EQ(store_.Put(key_, 0, Record("i", "r")), PutOutcome::kDone);
    EXPECT_EQ(sqlite3_open(file_.c_str(), &reader_), SQLITE_OK);
  }
  ~SqliteBackupTest() override { sqlite3_close(reader_); }

  // Frames that the peer takes at once, so that the file stays small.
  void Post(int count) {
    for (int i = 0; i < count; ++i) {
      ++last_;
      const AppendResult result =
          store_.Append({key_, Side("i")}, 1, Role::kInitiator, last_, std::string(kFrame, 'x'));
      ASSERT_EQ(result.outcome, AppendOutcome::kDone);
      ASSERT_TRUE(store_.Accept({key_, Side("i")}, Role::kInitiator, last_).ok());
    }
  }

  void Execute(const std::string& sql) {
    EXPECT_EQ(sqlite3_exec(reader_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(reader_);
  }

  uint64_t LogSize() const { return std::filesystem::file_size(file_ + "-wal"); }

  const ChannelKey key_ = {"a", 1};
  testing::TempFolder folder_;
  const std::string file_ = folder_.File("relay.db");
  std::unique_ptr<SqliteStore> opened_ = SqliteStore::Open(file_).value();
  BlockingStore store_{*opened_};
  sqlite3* reader_ = nullptr;
  uint64_t last_ = 0;
};

TEST_F(SqliteBackupTest, ALongReaderHoldsUpNothingAndTheLogIsCutBackAfterIt) {
  Post(1);
  Execute("BEGIN; SELECT * FROM channels");
  Post(80);
  EXPECT_GT(LogSize(), kLogLimit);
  Execute("COMMIT");
  // What stands in the log goes into the file with one commit, and with the next the log begins
  // anew.
  Post(2);
  EXPECT_LE(LogSize(), kLogLimit);
}

TEST_F(SqliteBackupTest, WithoutOneTheLogStaysShort) {
  Post(80);
  EXPECT_LT(LogSize(), kLogLimit / 2);
}

TEST_F(SqliteBackupTest, ACopyOfAFileInUseIsARelaysFile) {
  Post(2);
  const std::string copy = folder_.File("copy.db");
  Execute("VACUUM INTO '" + copy + "'");
  Post(1);
  auto restored = SqliteStore::Open(copy);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(BlockingStore(**restored).Load(key_)->log(Role::kInitiator).stored, 2u);
}

}  // namespace
}  // namespace wormhole::relay
