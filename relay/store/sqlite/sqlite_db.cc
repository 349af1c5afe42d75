#include "relay/store/sqlite/sqlite_db.h"

#include <sqlite3.h>

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "relay/store/status_macros.h"
#include "relay/store/store_away.h"

namespace wormhole::relay {

absl::StatusOr<std::unique_ptr<SqliteDb>> SqliteDb::Open(const std::string& path,
                                                         const std::string& vfs) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle, flags, vfs.empty() ? nullptr : vfs.c_str());
  if (handle == nullptr) return absl::ResourceExhaustedError("out of memory opening SQLite");
  auto db = absl::WrapUnique(new SqliteDb(handle, path));
  if (code != SQLITE_OK) return db->LastError();
  sqlite3_extended_result_codes(handle, 1);
  return db;
}

SqliteDb::~SqliteDb() { sqlite3_close_v2(handle_); }

absl::Status SqliteDb::Exec(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : LastError();
}

absl::StatusOr<int64_t> SqliteDb::QueryInteger(const std::string& sql) {
  Statement statement(this, sql.c_str());
  StatementRun run(statement);
  const absl::StatusOr<bool> row = run.Next();
  if (!row.ok()) return row.status();
  return *row ? run.ColumnInteger(0) : 0;
}

absl::StatusOr<std::string> SqliteDb::QueryText(const std::string& sql) {
  Statement statement(this, sql.c_str());
  StatementRun run(statement);
  const absl::StatusOr<bool> row = run.Next();
  if (!row.ok()) return row.status();
  return *row ? std::string(run.ColumnBytes(0)) : std::string();
}

bool SqliteDb::InTransaction() const { return sqlite3_get_autocommit(handle_) == 0; }

absl::Status SqliteDb::BeginOnce() {
  if (InTransaction()) return absl::OkStatus();
  return Exec("BEGIN IMMEDIATE");
}

absl::Status SqliteDb::Commit() {
  if (!InTransaction()) return absl::OkStatus();
  return Exec("COMMIT");
}

void SqliteDb::Rollback() {
  // After some failures SQLite has rolled back already. A ROLLBACK that fails leaves nothing behind
  // either: the next BEGIN or the next opening of the file sees the last commit.
  if (InTransaction()) Exec("ROLLBACK").IgnoreError();
}

absl::Status SqliteDb::Rewrite() {
  RETURN_IF_ERROR(BeginOnce());
  ASSIGN_OR_RETURN(const int64_t version, QueryInteger("PRAGMA user_version"));
  return Exec(absl::StrCat("PRAGMA user_version = ", version));
}

int64_t SqliteDb::LastInsertRow() const { return sqlite3_last_insert_rowid(handle_); }

absl::Status SqliteDb::LastError() const {
  return StoreAway(absl::StrCat("the SQLite file ", path_, " failed: ", sqlite3_errmsg(handle_),
                                " (code ", sqlite3_extended_errcode(handle_), ")"));
}

int SqliteDb::last_code() const { return sqlite3_errcode(handle_) & 0xff; }

Statement::~Statement() { sqlite3_finalize(handle_); }

absl::Status Statement::Prepare() {
  if (handle_ != nullptr) return absl::OkStatus();
  const int code =
      sqlite3_prepare_v3(db_->handle(), sql_, -1, SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
  if (code != SQLITE_OK) return db_->LastError();
  // A PRAGMA that answers may count as writing and yet refuse to run inside a transaction.
  writes_ = sqlite3_stmt_readonly(handle_) == 0 && sqlite3_column_count(handle_) == 0;
  return absl::OkStatus();
}

StatementRun::StatementRun(Statement& statement)
    : statement_(statement), status_(statement.Prepare()) {}

StatementRun::~StatementRun() { sqlite3_reset(statement_.handle_); }

void StatementRun::Note(int code) {
  if (code != SQLITE_OK && status_.ok()) status_ = statement_.db_->LastError();
}

StatementRun& StatementRun::Integer(int64_t value) {
  if (status_.ok()) Note(sqlite3_bind_int64(statement_.handle_, ++parameters_, value));
  return *this;
}

StatementRun& StatementRun::Text(std::string_view value) {
  if (!status_.ok()) return *this;
  const char* data = value.empty() ? "" : value.data();
  Note(sqlite3_bind_text64(statement_.handle_, ++parameters_, data, value.size(), SQLITE_STATIC,
                           SQLITE_UTF8));
  return *this;
}

StatementRun& StatementRun::Blob(std::string_view value) {
  if (!status_.ok()) return *this;
  const char* data = value.empty() ? "" : value.data();
  Note(sqlite3_bind_blob64(statement_.handle_, ++parameters_, data, value.size(), SQLITE_STATIC));
  return *this;
}

absl::StatusOr<bool> StatementRun::Next() {
  if (status_.ok() && statement_.writes_) status_ = statement_.db_->BeginOnce();
  if (!status_.ok()) return status_;
  const int code = sqlite3_step(statement_.handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  status_ = statement_.db_->LastError();
  return status_;
}

absl::Status StatementRun::Finish() { return Next().status(); }

int64_t StatementRun::ColumnInteger(int column) const {
  return sqlite3_column_int64(statement_.handle_, column);
}

std::string_view StatementRun::ColumnBytes(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.handle_, column);
  const int size = sqlite3_column_bytes(statement_.handle_, column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes), static_cast<size_t>(size)};
}

}  // namespace wormhole::relay
