// The SQLite file of a relay: what marks it as one, and the settings under which the relay uses it.
#ifndef WORMHOLE_RELAY_STORE_SQLITE_SQLITE_SCHEMA_H_
#define WORMHOLE_RELAY_STORE_SQLITE_SQLITE_SCHEMA_H_

#include <cstdint>

#include "absl/status/status.h"
#include "relay/store/sqlite/sqlite_db.h"

namespace wormhole::relay {

// PRAGMA application_id: "WHRS", so that a relay takes no other program's file for its own.
inline constexpr int64_t kSqliteApplicationId = 0x57485253;

// PRAGMA user_version: the schema that this code reads and writes.
inline constexpr int64_t kSqliteSchemaVersion = 2;

// Prepares a file that was just opened: an empty one gets the schema, any other must be a relay's
// already, of this version or of version 1, which it makes one of this version. A file that this
// refuses has not been changed. From then on SQLite copies the log into the file whenever the log
// has `checkpoint_pages` pages.
// FAILED_PRECONDITION (another program's file, a newer schema, in use), DATA_LOSS (damaged),
// PERMISSION_DENIED (not writable), UNAVAILABLE; the message is one line that says what to do.
absl::Status PrepareSqliteFile(SqliteDb& db, int checkpoint_pages);

// Makes of `status`, which is db's last failure if it is UNAVAILABLE, a message that says what to
// do with the file.
absl::Status ExplainSqliteFailure(const SqliteDb& db, const absl::Status& status);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_SQLITE_SCHEMA_H_
