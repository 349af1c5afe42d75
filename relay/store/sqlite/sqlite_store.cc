#include "relay/store/sqlite/sqlite_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "relay/store/sqlite/cannot_create.h"
#include "relay/store/sqlite/sqlite_schema.h"
#include "relay/store/status_macros.h"
#include "relay/store/steady_now.h"
#include "relay/store/trouble_report.h"

namespace wormhole::relay {
namespace {

// Creates the file when there is none, and follows symbolic links to its own name, so that it has
// one lock. SQLite itself would create it readable by everyone, and says less of what went wrong.
absl::StatusOr<std::string> CreateAndResolve(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return CannotCreate(errno, "the SQLite file", path);
    ::close(descriptor);
  }
  const std::filesystem::path resolved = std::filesystem::canonical(path, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot open the SQLite file ", path));
  }
  if (std::filesystem::is_regular_file(resolved, error)) return resolved.string();
  return absl::FailedPreconditionError(
      absl::StrCat(path, " is not a file: name a file for the relay's data"));
}

// Without FILE.lock a second relay could open the file. Without FILE-shm another program that reads
// the file would share neither locks nor the log's index with this one. SQLite cuts its log when it
// commits, and at no other time.
absl::StatusOr<FileWatch> WatchFiles(SqliteDb& db, const std::string& file) {
  // A file that has just been switched to WAL has no log until somebody reads the file.
  RETURN_IF_ERROR(db.QueryInteger("PRAGMA user_version").status());
  return FileWatch::Of({{.path = file, .grows = true},
                        {.path = absl::StrCat(file, "-wal"), .grows = true},
                        {.path = absl::StrCat(file, "-shm")},
                        {.path = absl::StrCat(file, ".lock")}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const std::string& path,
                                                               const SqliteOptions& options) {
  std::string file = path;
  if (options.vfs.empty()) {
    ASSIGN_OR_RETURN(file, CreateAndResolve(path));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<LockFile> lock, LockFile::Acquire(absl::StrCat(file, ".lock")));
  ASSIGN_OR_RETURN(std::unique_ptr<SqliteDb> db, SqliteDb::Open(file, options.vfs));
  RETURN_IF_ERROR(PrepareSqliteFile(*db, options.checkpoint_pages));
  FileWatch files;
  if (options.vfs.empty()) {
    ASSIGN_OR_RETURN(files, WatchFiles(*db, file));
  }
  auto store =
      absl::WrapUnique(new SqliteStore(std::move(lock), std::move(db), std::move(files), options));
  const absl::Status read = store->channels_.Read();
  if (absl::IsDataLoss(read)) {
    return absl::DataLossError(absl::StrCat("the SQLite file ", file, " is damaged, ",
                                            read.message(), ": restore a backup, or move it away"));
  }
  RETURN_IF_ERROR(ExplainSqliteFailure(*store->db_, read));
  return store;
}

SqliteStore::SqliteStore(std::unique_ptr<LockFile> lock, std::unique_ptr<SqliteDb> db,
                         FileWatch files, const SqliteOptions& options)
    : QueuedStore(&channels_, &thread_),
      lock_(std::move(lock)),
      db_(std::move(db)),
      channels_(db_.get(), std::move(files),
                {.fold_after = options.fold_after,
                 .report = TroubleReport(options.on_trouble),
                 .on_commit = options.on_commit}),
      thread_(&channels_) {}

}  // namespace wormhole::relay
