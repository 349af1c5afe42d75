#include "relay/store/sqlite/sqlite_schema.h"

#include <sqlite3.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "relay/store/status_macros.h"

namespace wormhole::relay {
namespace {

// Each batch of calls is a row in `batches` (sqlite_batch.proto). What a batch has changed goes
// into the other tables later, many batches at once; batches that these reflect are deleted. So the
// state of the relay is what the tables have, with the batches on top.
//
// Keys are integers, so that they are small and rows of one time lie together:
//   channel = app * 2^30 + id (an id is below 10^9), log = channel * 2 + author (a Role).
// Times are microseconds since 1970. `channels.batch` is the last batch that the row reflects. A
// log's last stored number is the last one in `frames`, or `forgotten` when none is kept.
constexpr char kSchema[] = R"sql(
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
  receiver_accepted INTEGER NOT NULL DEFAULT 0,
  batch INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE frames (
  log INTEGER NOT NULL,
  number INTEGER NOT NULL,
  frame BLOB NOT NULL,
  PRIMARY KEY (log, number)
) STRICT, WITHOUT ROWID;
)sql";

// Sides of ended channels whose place a new channel has taken, and the batches.
constexpr char kNewTables[] = R"sql(
CREATE TABLE rests (
  app INTEGER NOT NULL,
  side BLOB NOT NULL,
  id INTEGER NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (app, side)
) STRICT, WITHOUT ROWID;
CREATE TABLE batches (
  batch INTEGER PRIMARY KEY,
  changes BLOB NOT NULL
) STRICT;
)sql";

// Version 1 wrote each change into the tables at once. It had a table of all sides, in which those
// that rested stayed, and an index of when channels are due. Its own older relays knew of no
// resting sides: they have let some in again, which are a channel's then, and some of their apps
// go.
constexpr char kFromVersion1[] = R"sql(
CREATE TABLE IF NOT EXISTS resting_sides (
  app INTEGER NOT NULL,
  side BLOB NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (app, side)
) STRICT, WITHOUT ROWID;
ALTER TABLE channels ADD COLUMN batch INTEGER NOT NULL DEFAULT 0;
INSERT INTO rests (app, side, id, until)
  SELECT resting.app, resting.side, sides.id, resting.until
  FROM resting_sides AS resting JOIN sides USING (app, side) JOIN apps USING (app)
  WHERE NOT EXISTS (SELECT 1 FROM channels WHERE channel = (sides.app << 30) + sides.id
                    AND sides.side IN (initiator, receiver));
DROP TABLE resting_sides;
DROP TABLE sides;
DROP INDEX channels_due;
)sql";

// FULL syncs the log at each commit: NORMAL would lose acknowledged commits at power loss.
// journal_size_limit cuts the log back after a long reader (a backup) has held up its checkpoints.
constexpr char kSettings[] = R"sql(
PRAGMA synchronous = FULL;
PRAGMA journal_size_limit = 67108864;
PRAGMA cache_size = -32768;
PRAGMA temp_store = MEMORY;
PRAGMA trusted_schema = OFF;
)sql";

// How long a commit waits for another program that writes to the file.
constexpr int kBusyMillis = 2000;

absl::Status NotWritable(const SqliteDb& db) {
  return absl::PermissionDeniedError(
      absl::StrCat("cannot write the SQLite file ", db.path(),
                   ": it and its folder must be writable, its -wal and -shm files too"));
}

absl::Status Explain(const SqliteDb& db, const absl::Status& status) {
  const std::string& path = db.path();
  switch (db.last_code()) {
    case SQLITE_NOTADB:
      return absl::FailedPreconditionError(
          absl::StrCat(path, " is not an SQLite file: name another one; it was left as it is"));
    case SQLITE_CORRUPT:
      return absl::DataLossError(
          absl::StrCat("the SQLite file ", path, " is damaged: restore a backup, or move it away"));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::FailedPreconditionError(absl::StrCat(
          "the SQLite file ", path, " is in use by another program: stop it and try again"));
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return NotWritable(db);
    default:
      return status;
  }
}

absl::Status Refuse(const SqliteDb& db, int64_t application_id, int64_t version) {
  if (application_id != kSqliteApplicationId) {
    return absl::FailedPreconditionError(
        absl::StrCat(db.path(), " belongs to another program (application id ", application_id,
                     "): name another file; it was left as it is"));
  }
  if (version > kSqliteSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        db.path(), " was written by a newer relay (schema ", version, ", this one knows ",
        kSqliteSchemaVersion, "): start that version again, or name another file"));
  }
  return absl::DataLossError(absl::StrCat(db.path(), " has no schema ", kSqliteSchemaVersion,
                                          " (it says ", version,
                                          "): restore a backup, or move it away"));
}

absl::Status CheckTables(SqliteDb& db, int64_t version) {
  ASSIGN_OR_RETURN(
      const int64_t tables,
      db.QueryInteger(absl::StrCat(
          "SELECT count(*) FROM sqlite_schema WHERE name IN ('apps', 'channels', 'frames', ",
          version == 1 ? "'sides', 'channels_due')" : "'rests', 'batches')")));
  if (tables == 5) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(db.path(), " lacks some of its tables: restore a backup, or move it away"));
}

// `version` of a new file is 0.
absl::Status BringUpToDate(SqliteDb& db, int64_t version) {
  if (version == 0) RETURN_IF_ERROR(db.Exec(kSchema));
  RETURN_IF_ERROR(db.Exec(kNewTables));
  if (version == 1) RETURN_IF_ERROR(db.Exec(kFromVersion1));
  return db.Exec(absl::StrCat("PRAGMA application_id = ", kSqliteApplicationId,
                              "; PRAGMA user_version = ", kSqliteSchemaVersion, ";"));
}

// Decides whether the file is a relay's before it writes anything.
absl::Status Prepare(SqliteDb& db, int checkpoint_pages) {
  sqlite3_busy_timeout(db.handle(), kBusyMillis);
  ASSIGN_OR_RETURN(const int64_t application_id, db.QueryInteger("PRAGMA application_id"));
  ASSIGN_OR_RETURN(const int64_t version, db.QueryInteger("PRAGMA user_version"));
  ASSIGN_OR_RETURN(const int64_t objects, db.QueryInteger("SELECT count(*) FROM sqlite_schema"));
  const bool is_new = application_id == 0 && version == 0 && objects == 0;
  const bool is_known = version >= 1 && version <= kSqliteSchemaVersion;
  if (!is_new && (application_id != kSqliteApplicationId || !is_known)) {
    return Refuse(db, application_id, version);
  }
  if (!is_new) {
    RETURN_IF_ERROR(CheckTables(db, version));
  }
  // SQLite opens a file that it may not write all the same, for reading only.
  if (sqlite3_db_readonly(db.handle(), "main") != 0) return NotWritable(db);
  ASSIGN_OR_RETURN(const std::string mode, db.QueryText("PRAGMA journal_mode = WAL"));
  if (mode != "wal") {
    return absl::FailedPreconditionError(
        absl::StrCat("the file system of ", db.path(),
                     " cannot share memory between processes, which SQLite's WAL needs: use a "
                     "local one"));
  }
  RETURN_IF_ERROR(
      db.Exec(absl::StrCat(kSettings, "PRAGMA wal_autocheckpoint = ", checkpoint_pages, ";")));
  RETURN_IF_ERROR(db.BeginOnce());
  if (version != kSqliteSchemaVersion) {
    RETURN_IF_ERROR(BringUpToDate(db, version));
  }
  return db.Commit();
}

}  // namespace

absl::Status PrepareSqliteFile(SqliteDb& db, int checkpoint_pages) {
  return ExplainSqliteFailure(db, Prepare(db, checkpoint_pages));
}

absl::Status ExplainSqliteFailure(const SqliteDb& db, const absl::Status& status) {
  return absl::IsUnavailable(status) ? Explain(db, status) : status;
}

}  // namespace wormhole::relay
