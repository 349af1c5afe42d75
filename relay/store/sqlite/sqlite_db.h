// One connection to an SQLite file, and prepared statements. The only place that calls SQLite.
//
// Not thread-safe: one thread at a time.
#ifndef WORMHOLE_RELAY_STORE_SQLITE_SQLITE_DB_H_
#define WORMHOLE_RELAY_STORE_SQLITE_SQLITE_DB_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sqlite3;
struct sqlite3_stmt;

namespace wormhole::relay {

class SqliteDb {
 public:
  // Opens or creates `path` through the SQLite VFS `vfs` (empty: the default one). Nothing is read
  // or written yet.
  static absl::StatusOr<std::unique_ptr<SqliteDb>> Open(const std::string& path,
                                                        const std::string& vfs);
  ~SqliteDb();
  SqliteDb(const SqliteDb&) = delete;
  SqliteDb& operator=(const SqliteDb&) = delete;

  // Runs statements without parameters and results.
  absl::Status Exec(const std::string& sql);

  // The first column of the first row of `sql`.
  absl::StatusOr<int64_t> QueryInteger(const std::string& sql);
  absl::StatusOr<std::string> QueryText(const std::string& sql);

  // The first statement that writes begins a transaction, with BeginOnce, which does nothing inside
  // of one. Commit and Rollback end it, and do nothing outside of one.
  absl::Status BeginOnce();
  bool InTransaction() const;
  absl::Status Commit();
  void Rollback();

  // Writes a page as it is, in the transaction. When the file cannot be written, this or Commit
  // fails.
  absl::Status Rewrite();

  // The integer primary key of the last row that was inserted.
  int64_t LastInsertRow() const;

  // UNAVAILABLE, STORE_AWAY, with SQLite's reason for its last failure.
  absl::Status LastError() const;
  // The same failure as SQLite's primary result code.
  int last_code() const;

  sqlite3* handle() const { return handle_; }
  const std::string& path() const { return path_; }

 private:
  SqliteDb(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  sqlite3* const handle_;
  const std::string path_;
};

// A statement, prepared at its first use and kept.
class Statement {
 public:
  Statement(SqliteDb* db, const char* sql) : db_(db), sql_(sql) {}
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

 private:
  friend class StatementRun;
  absl::Status Prepare();

  SqliteDb* const db_;
  const char* const sql_;
  sqlite3_stmt* handle_ = nullptr;
  bool writes_ = false;
};

// One run of a statement: parameters in order, then rows. The statement is free for the next run
// when this object goes.
class StatementRun {
 public:
  explicit StatementRun(Statement& statement);
  ~StatementRun();
  StatementRun(const StatementRun&) = delete;
  StatementRun& operator=(const StatementRun&) = delete;

  StatementRun& Integer(int64_t value);
  // The bytes must live as long as this object. Empty ones are an empty value, not NULL.
  StatementRun& Text(std::string_view value);
  StatementRun& Blob(std::string_view value);

  // The next row: false when there is none. A statement that writes begins the transaction first.
  absl::StatusOr<bool> Next();
  // For statements without rows.
  absl::Status Finish();

  // Columns of the row, from 0. Bytes are valid until the next call of Next.
  int64_t ColumnInteger(int column) const;
  std::string_view ColumnBytes(int column) const;

 private:
  void Note(int code);

  Statement& statement_;
  absl::Status status_;
  int parameters_ = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_SQLITE_DB_H_
