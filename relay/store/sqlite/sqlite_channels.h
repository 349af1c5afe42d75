// The channels of a relay with an SQLite file: in memory, and each batch of changes a row in the
// file, which goes into its tables later. One thread.
#ifndef WORMHOLE_RELAY_STORE_SQLITE_SQLITE_CHANNELS_H_
#define WORMHOLE_RELAY_STORE_SQLITE_SQLITE_CHANNELS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/store/memory/memory_channels.h"
#include "relay/store/sqlite/batch_changes.h"
#include "relay/store/sqlite/commit_thread.h"
#include "relay/store/sqlite/file_watch.h"
#include "relay/store/sqlite/sqlite_backlog.h"
#include "relay/store/sqlite/sqlite_db.h"
#include "relay/store/sqlite/sqlite_tables.h"
#include "relay/store/store.h"
#include "relay/store/trouble_report.h"

namespace wormhole::relay {

// The methods are Store's, answered at once and durable after Commit.
class SqliteChannels final : public BatchTarget {
 public:
  struct Options {
    // Calls of Due for which a change lies in its batch before it goes into the tables.
    size_t fold_after = 8;
    TroubleReport report{nullptr};  // of failures, and of commits of writes
    // Null, or called after each commit of writes.
    std::function<void(absl::Duration took, size_t operations)> on_commit;
  };

  // `files` are those that `db` has open.
  SqliteChannels(SqliteDb* db, FileWatch files, Options options)
      : db_(db), files_(std::move(files)), tables_(db), options_(std::move(options)) {}

  // Reads everything. Once, before the rest. UNAVAILABLE when SQLite fails; DATA_LOSS when there is
  // something that no relay has written.
  absl::Status Read();

  void ForEach(const std::function<void(const ChannelKey&, IdState state)>& visit) const {
    channels_.ForEach(visit);
  }
  std::optional<ChannelSnapshot> Load(const ChannelKey& key) const { return channels_.Load(key); }
  std::optional<uint32_t> FindSide(const std::string& app_id, const std::string& side) const {
    return channels_.FindSide(app_id, side);
  }
  PutOutcome Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
                 const PutOptions& options = {}) {
    return channels_.Put(key, expected, std::move(record), options);
  }
  PutOutcome Erase(const ChannelKey& key, uint64_t expected) {
    return channels_.Erase(key, expected);
  }
  AppendResult Append(const ChannelRef& channel, uint64_t version, Role author, uint64_t number,
                      std::string frame);
  absl::StatusOr<LogState> Accept(const ChannelRef& channel, Role author, uint64_t cursor) {
    return channels_.Accept(channel, author, cursor);
  }
  std::vector<StoredFrame> Read(const ChannelRef& channel, Role author, uint64_t after,
                                size_t max_bytes);
  // UNAVAILABLE when SQLite has failed before and fails again.
  absl::StatusOr<std::vector<ChannelKey>> Due(absl::Time now, size_t limit);

  // Of the frames that are kept. Any thread.
  uint64_t stored_bytes() const { return channels_.stored_bytes(); }

  absl::Status Commit(size_t operations) override;
  void Rollback(const absl::Status& cause) override;
  bool Full() const override;

 private:
  // The file has a batch of this number, or a row that reflects it.
  absl::Status NoteRead(int64_t batch);
  // What goes into the tables with the batch that is to be committed.
  SqliteBacklog::Step NextStep();
  absl::Status Write(const std::string& changes, SqliteBacklog::Step& step);
  absl::Status WriteAtOnce(const std::string& changes, const SqliteBacklog::Step& step);
  absl::Status WriteChannel(const ChannelKey& key);
  void NoteWritten(const store::StoredBatch& batch, size_t bytes, const SqliteBacklog::Step& step);

  SqliteDb* const db_;
  FileWatch files_;
  SqliteTables tables_;
  Options options_;
  BatchChanges changes_;
  MemoryChannels channels_{&changes_};
  SqliteBacklog backlog_;
  int64_t batch_ = 1;            // the next one
  std::deque<int64_t> at_dues_;  // which one was the next at the latest calls of Due
  bool due_called_ = false;      // in this batch
  absl::Status fold_failed_;     // why the last step did not go into the tables
  size_t batch_bytes_ = 0;       // of frames that the batch has read or written
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_SQLITE_CHANNELS_H_
