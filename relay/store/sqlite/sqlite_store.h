// A store in one SQLite file: WAL, synchronous=FULL, one thread that commits in groups.
//
// Beside FILE it has FILE-wal, FILE-shm and FILE.lock, which keeps a second relay away. Other
// programs may read the file meanwhile (deploy/backup); nobody else may write to it, and a
// checkpoint is a write. When one of the four is removed, replaced or cut beneath the store, every
// call fails with STORE_AWAY: until it is put back, and for good if it was cut.
#ifndef WORMHOLE_RELAY_STORE_SQLITE_SQLITE_STORE_H_
#define WORMHOLE_RELAY_STORE_SQLITE_SQLITE_STORE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "relay/store/queued_store.h"
#include "relay/store/sqlite/commit_thread.h"
#include "relay/store/sqlite/file_watch.h"
#include "relay/store/sqlite/lock_file.h"
#include "relay/store/sqlite/sqlite_channels.h"
#include "relay/store/sqlite/sqlite_db.h"

namespace wormhole::relay {

struct SqliteOptions {
  // The SQLite VFS under the file; empty: the system's own. Leave it alone outside of tests that
  // bring their own disk.
  std::string vfs;

  // Pages of 4 KiB that the log (FILE-wal) holds before they are copied into the file. More: fewer
  // copies and a longer start after a crash. A start reads the default's 16 MiB in a moment.
  int checkpoint_pages = 4096;

  // Calls of Due, four in a second in a relay, for which a change lies in its batch's row before it
  // goes into the tables, together with others. More: less is written, and a longer start.
  size_t fold_after = 8;

  // The store calls this with the reason for each batch that fails, and once with OK when it writes
  // again, which it tries with each Due. On the store's thread: it must not wait for the store. The
  // store does not call it after its own destruction.
  std::function<void(const absl::Status& status)> on_trouble = nullptr;

  // The store calls this for each batch of operations that has written something, once that is
  // durable: how long the commit took, and how many operations were in the batch, those included
  // that only read. On the store's thread.
  std::function<void(absl::Duration took, size_t operations)> on_commit = nullptr;
};

class SqliteStore final : public QueuedStore<SqliteChannels, CommitThread> {
 public:
  // Opens `path`, or creates it (mode 0600), and reads all of it into memory. FAILED_PRECONDITION
  // when another relay holds it, or it is not a relay's file, or a newer relay's; DATA_LOSS when it
  // is damaged; PERMISSION_DENIED, NOT_FOUND and so on when it cannot be opened or written. One
  // line each, which says what to do.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const std::string& path,
                                                           const SqliteOptions& options = {});

 private:
  SqliteStore(std::unique_ptr<LockFile> lock, std::unique_ptr<SqliteDb> db, FileWatch files,
              const SqliteOptions& options);

  const std::unique_ptr<LockFile> lock_;
  const std::unique_ptr<SqliteDb> db_;
  SqliteChannels channels_;  // only the thread uses it, once it has a call
  CommitThread thread_;      // last: it uses the others
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_SQLITE_STORE_H_
