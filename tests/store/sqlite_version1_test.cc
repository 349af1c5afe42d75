// Files of relays that wrote each change into the tables at once (schema 1) are taken over.
#include <sqlite3.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/store/sqlite/sqlite_store.h"
#include "tests/store/blocking_store.h"
#include "tests/store/start_store.h"
#include "tests/support/temp_folder.h"

namespace wormhole::relay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// As those relays made it.
constexpr char kSchema[] = R"sql(
PRAGMA journal_mode = WAL;
CREATE TABLE apps (
  app INTEGER PRIMARY KEY CHECK (app BETWEEN 1 AND 4294967295),
  name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE channels (
  channel INTEGER PRIMARY KEY,
  version INTEGER NOT NULL,
  named INTEGER NOT NULL,
  life INTEGER NOT NULL,
  ended_by INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  initiator BLOB NOT NULL,
  initiator_left INTEGER NOT NULL,
  receiver BLOB NOT NULL,
  receiver_left INTEGER NOT NULL,
  initiator_forgotten INTEGER NOT NULL DEFAULT 0,
  initiator_accepted INTEGER NOT NULL DEFAULT 0,
  receiver_forgotten INTEGER NOT NULL DEFAULT 0,
  receiver_accepted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX channels_due ON channels (due_at);
CREATE TABLE sides (
  app INTEGER NOT NULL,
  side BLOB NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY (app, side)
) STRICT, WITHOUT ROWID;
CREATE TABLE frames (
  log INTEGER NOT NULL,
  number INTEGER NOT NULL,
  frame BLOB NOT NULL,
  PRIMARY KEY (log, number)
) STRICT, WITHOUT ROWID;
PRAGMA application_id = 1464357459;
PRAGMA user_version = 1;
INSERT INTO apps VALUES (1, 'a');
)sql";

// The oldest had none of it.
constexpr char kResting[] = R"sql(
CREATE TABLE resting_sides (
  app INTEGER NOT NULL,
  side BLOB NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (app, side)
) STRICT, WITHOUT ROWID;
CREATE INDEX resting_sides_until ON resting_sides (until);
)sql";

std::string Blob(const std::string& bytes) {
  return absl::StrCat("x'", absl::BytesToHexString(bytes), "'");
}

int64_t Row(uint32_t id) { return (int64_t{1} << 30) + id; }

std::string Channel(uint32_t id, const ChannelRecord& record, const std::string& logs) {
  std::string sql = absl::StrCat(
      "INSERT INTO channels VALUES (", Row(id), ", ", 2, ", ", record.named ? 1 : 0, ", ",
      static_cast<int>(record.life), ", ", static_cast<int>(record.ended_by), ", ",
      absl::ToUnixMicros(record.created_at), ", ", absl::ToUnixMicros(record.due_at));
  for (const Member& member : record.members) {
    absl::StrAppend(&sql, ", ", Blob(member.side), ", ", member.left ? 1 : 0);
  }
  absl::StrAppend(&sql, ", ", logs, ");");
  for (const Member& member : record.members) {
    if (member.side.empty()) continue;
    absl::StrAppend(&sql, "INSERT INTO sides VALUES (1, ", Blob(member.side), ", ", id, ");");
  }
  return sql;
}

std::string RestOf(const std::string& side, absl::Time until) {
  return absl::StrCat("INSERT INTO resting_sides VALUES (1, ", Blob(side), ", ",
                      absl::ToUnixMicros(until), ");");
}

class SqliteVersion1Test : public ::testing::Test {
 protected:
  void Make(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(file_.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
  void Open() {
    store_.reset();
    auto store = SqliteStore::Open(file_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  BlockingStore Call() { return BlockingStore(*store_); }

  testing::TempFolder folder_;
  const std::string file_ = folder_.File("relay.db");
  std::unique_ptr<SqliteStore> store_;
};

TEST_F(SqliteVersion1Test, ItsChannelsAndFramesAreTakenOver) {
  const ChannelKey key = {"a", 7};
  Make(absl::StrCat(kSchema, kResting, Channel(7, Record("i", "r"), "1, 1, 0, 5"),
                    "INSERT INTO frames VALUES (", 2 * Row(7), ", 2, x'78'), (", 2 * Row(7),
                    ", 3, x'79');", Channel(8, Closed(Record("j")), "0, 0, 0, 0")));
  for (int start = 0; start < 2; ++start) {
    Open();
    ASSERT_TRUE(StartStore(*store_).ok());
    const auto loaded = Call().Load(key);
    ASSERT_TRUE(loaded.has_value());
    ChannelRecord record = Record("i", "r");
    record.version = 2;
    EXPECT_EQ(loaded->record, record);
    EXPECT_EQ(loaded->log(Role::kInitiator),
              (LogState{.stored = 3, .forgotten = 1, .accepted = 1, .bytes = 2}));
    EXPECT_EQ(loaded->log(Role::kReceiver), (LogState{.accepted = 5}));
    EXPECT_THAT(Call().Read(key, Role::kInitiator), ElementsAre(Frame(2u, "x"), Frame(3u, "y")));
    EXPECT_TRUE(Call().Load({"a", 8})->record.ended());
    EXPECT_EQ(Call().FindSide("a", Side("j")), 8u);
    EXPECT_EQ(store_->StoredBytes(), 2u);
  }
  EXPECT_EQ(Call().Append(key, 2, Role::kInitiator, 4, "z").outcome, AppendOutcome::kDone);
  Open();
  EXPECT_EQ(Call().Load(key)->log(Role::kInitiator).stored, 4u);
}

TEST_F(SqliteVersion1Test, ItsSidesGoOnResting) {
  Make(absl::StrCat(kSchema, kResting, Channel(7, Record("j"), "0, 0, 0, 0"),
                    "INSERT INTO sides VALUES (1, ", Blob(Side("i")), ", 7);",
                    RestOf(Side("i"), At(3600))));
  Open();
  EXPECT_EQ(Call().FindSide("a", Side("i")), 7u);
  EXPECT_EQ(Call().Put({"a", 8}, 0, Record("i")), PutOutcome::kSideTaken);
  Call().Due(At(3600));
  EXPECT_EQ(Call().Put({"a", 8}, 0, Record("i")), PutOutcome::kDone);
}

// The row of its rest was still there.
TEST_F(SqliteVersion1Test, ASideThatAnOlderRelayLetInAgainIsItsChannels) {
  Make(absl::StrCat(kSchema, kResting, Channel(7, Record("i", "r"), "0, 0, 0, 0"),
                    RestOf(Side("i"), At(0)), RestOf(Side("r"), At(0))));
  Open();
  Call().Due(At(1));
  EXPECT_EQ(Call().FindSide("a", Side("i")), 7u);
  EXPECT_EQ(Call().FindSide("a", Side("r")), 7u);
}

// It had let the app go whose sides rested, and gave its number to another one.
TEST_F(SqliteVersion1Test, RestsThatNoSideHasAreLeftOut) {
  Make(absl::StrCat(kSchema, kResting, Channel(7, Record("k"), "0, 0, 0, 0"),
                    RestOf(Side("i"), At(3600)), "INSERT INTO sides VALUES (2, ", Blob(Side("m")),
                    ", 7);"
                    "INSERT INTO resting_sides VALUES (2, ",
                    Blob(Side("m")), ", 1);"));
  Open();
  EXPECT_EQ(Call().FindSide("a", Side("i")), std::nullopt);
  EXPECT_EQ(Call().FindSide("a", Side("k")), 7u);
}

TEST_F(SqliteVersion1Test, TheOldestHadNoRests) {
  Make(absl::StrCat(kSchema, Channel(7, Record("i"), "0, 0, 0, 0")));
  Open();
  EXPECT_EQ(Call().FindSide("a", Side("i")), 7u);
}

TEST_F(SqliteVersion1Test, FramesThatAreMissingAreDamage) {
  Make(absl::StrCat(kSchema, kResting, Channel(7, Record("i", "r"), "1, 1, 0, 0"),
                    "INSERT INTO frames VALUES (", 2 * Row(7), ", 3, x'79');"));
  const absl::Status status = SqliteStore::Open(file_).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("channel 7 lacks some of its frames"));
}

// Such a relay would not know the batches: it looks at this number, and says "a newer relay".
TEST_F(SqliteVersion1Test, OlderRelaysRefuseTheFileFromThenOn) {
  Make(absl::StrCat(kSchema, kResting));
  Open();
  store_.reset();
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file_.c_str(), &db), SQLITE_OK);
  int version = 0;
  const auto take = [](void* to, int, char** values, char**) {
    *static_cast<int*>(to) = std::atoi(values[0]);
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(db, "PRAGMA user_version", take, &version, nullptr), SQLITE_OK);
  sqlite3_close(db);
  EXPECT_EQ(version, 2);
}

}  // namespace
}  // namespace wormhole::relay
