// A file that a relay has written in between which does not know that sides rest.
#include <sqlite3.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/store/sqlite/sqlite_store.h"
#include "tests/store/blocking_store.h"
#include "tests/support/temp_folder.h"

namespace wormhole::relay {
namespace {

using ::testing::IsEmpty;

class SqliteOlderRelayTest : public ::testing::Test {
 protected:
  SqliteOlderRelayTest() { Open(); }

  void Open() {
    auto store = SqliteStore::Open(file_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  BlockingStore Call() { return BlockingStore(*store_); }

  // While no relay runs.
  void Execute(const std::string& sql) {
    store_.reset();
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(file_.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
    Open();
  }

  testing::TempFolder folder_;
  const std::string file_ = folder_.File("relay.db");
  std::unique_ptr<SqliteStore> store_;
};

// The row of its rest is still there, and its time is over.
TEST_F(SqliteOlderRelayTest, ASideThatItLetInAgainStays) {
  Call().Put({"a", 7}, 0, Record("i", "r"));
  Execute("INSERT INTO resting_sides SELECT app, side, 1 FROM sides");
  EXPECT_THAT(Call().Due(At(0)), IsEmpty());
  EXPECT_EQ(Call().FindSide("a", Side("i")), 7u);
  EXPECT_EQ(Call().FindSide("a", Side("r")), 7u);
  EXPECT_EQ(Call().Put({"a", 8}, 0, Record("i")), PutOutcome::kSideTaken);
  EXPECT_EQ(Call().Append(ChannelKey{"a", 7}, 1, Role::kInitiator, 1, "x").outcome,
            AppendOutcome::kDone);
}

// The rest that it had from before does not shorten the one that it has now.
TEST_F(SqliteOlderRelayTest, WhenItsChannelIsOverItRestsAnew) {
  Call().Put({"a", 7}, 0, Record("i"));
  Execute("INSERT INTO resting_sides SELECT app, side, 1 FROM sides");
  Call().Put({"a", 7}, 1, Closed(Record("i")));
  Call().Put({"a", 7}, 2, Record("j"));
  EXPECT_THAT(Call().Due(At(0)), IsEmpty());
  EXPECT_EQ(Call().FindSide("a", Side("i")), 7u);
  EXPECT_THAT(Call().Due(At(3601)), ::testing::ElementsAre(ChannelKey{"a", 7}));
  EXPECT_EQ(Call().FindSide("a", Side("i")), std::nullopt);
  EXPECT_EQ(Call().FindSide("a", Side("j")), 7u);
}

// It has let an app go whose sides rest, and given its number to another one.
TEST_F(SqliteOlderRelayTest, AnAppThatItLetGoLeavesNothing) {
  Call().Put({"a", 7}, 0, Record("i"));
  Call().Put({"a", 7}, 1, Closed(Record("i")));
  Call().Put({"a", 7}, 2, Record("j"));
  Execute(
      "DELETE FROM channels; DELETE FROM sides WHERE side NOT IN "
      "(SELECT side FROM resting_sides); DELETE FROM apps");
  Call().Put({"b", 7}, 0, Record("k"));
  Call().Due(At(3601));
  EXPECT_EQ(Call().FindSide("b", Side("k")), 7u);
  EXPECT_EQ(Call().FindSide("b", Side("i")), std::nullopt);
}

}  // namespace
}  // namespace wormhole::relay
