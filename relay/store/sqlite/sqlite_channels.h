// Store's operations on the tables of a relay's SQLite file, with the channels that were used
// lately in memory, so that an operation reads only what it has to. One thread.
#ifndef WORMHOLE_RELAY_STORE_SQLITE_SQLITE_CHANNELS_H_
#define WORMHOLE_RELAY_STORE_SQLITE_SQLITE_CHANNELS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/store/recent_map.h"
#include "relay/store/sqlite/commit_thread.h"
#include "relay/store/sqlite/file_watch.h"
#include "relay/store/sqlite/sqlite_db.h"
#include "relay/store/sqlite/sqlite_tables.h"
#include "relay/store/store.h"
#include "relay/store/trouble_report.h"

namespace wormhole::relay {

// The methods are Store's, answered at once and durable after Commit. UNAVAILABLE (STORE_AWAY)
// when SQLite fails; Rollback must follow.
class SqliteChannels final : public BatchTarget {
 public:
  using OnCommit = std::function<void(absl::Duration took, size_t operations)>;

  // Notes failures, and commits of writes, in `report`; calls `on_commit`, unless it is null, after
  // each commit of writes. `files` are those that `db` has open.
  SqliteChannels(SqliteDb* db, FileWatch files, TroubleReport report, OnCommit on_commit)
      : db_(db),
        files_(std::move(files)),
        tables_(db),
        report_(std::move(report)),
        on_commit_(std::move(on_commit)) {}

  absl::Status ForEach(const std::function<void(const ChannelKey&, IdState state)>& visit);
  absl::StatusOr<std::optional<ChannelSnapshot>> Load(const ChannelKey& key);
  absl::StatusOr<std::optional<uint32_t>> FindSide(const std::string& app_id,
                                                   std::string_view side);
  absl::StatusOr<PutOutcome> Put(const ChannelKey& key, uint64_t expected, ChannelRecord record);
  absl::StatusOr<PutOutcome> Erase(const ChannelKey& key, uint64_t expected);
  absl::StatusOr<AppendResult> Append(const ChannelRef& channel, uint64_t version, Role author,
                                      uint64_t number, std::string_view frame);
  absl::StatusOr<LogState> Accept(const ChannelRef& channel, Role author, uint64_t cursor);
  absl::StatusOr<std::vector<StoredFrame>> Read(const ChannelRef& channel, Role author,
                                                uint64_t after, size_t max_bytes);
  absl::StatusOr<std::vector<ChannelKey>> Due(absl::Time now, size_t limit);

  // Of the frames that are kept; known once ForEach was called. Any thread.
  uint64_t stored_bytes() const { return stored_bytes_.load(std::memory_order_relaxed); }

  absl::Status Commit(size_t operations) override;
  void Rollback(const absl::Status& cause) override;
  bool Full() const override;

 private:
  // A channel as the transaction sees it.
  struct Entry {
    ChannelRow row = 0;
    ChannelSnapshot snapshot;
  };

  absl::StatusOr<std::optional<AppRow>> FindApp(const std::string& app_id);
  absl::StatusOr<AppRow> MakeApp(const std::string& app_id);
  // Null when there is no such channel. Valid until the channel is put or erased, or Commit.
  absl::StatusOr<Entry*> Find(const ChannelKey& key);
  absl::StatusOr<Entry*> Find(const ChannelRef& channel);
  absl::StatusOr<bool> IsSideTaken(const ChannelKey& key, const ChannelRecord& record);
  absl::Status Replace(const Entry& before, const Entry& after);
  absl::Status MoveSides(AppRow app, uint32_t id, const ChannelRecord& before,
                         const ChannelRecord& after);
  absl::Status DropLogs(const Entry& entry);
  absl::StatusOr<AppendOutcome> Append(Entry& entry, Role author, uint64_t number,
                                       std::string_view frame);

  SqliteDb* const db_;
  FileWatch files_;
  SqliteTables tables_;
  TroubleReport report_;
  const OnCommit on_commit_;
  RecentMap<std::string, AppRow> apps_{1024};
  RecentMap<ChannelKey, Entry> channels_{8192};
  std::atomic<uint64_t> stored_bytes_ = 0;
  uint64_t committed_bytes_ = 0;  // stored_bytes_ as of the last commit
  size_t batch_bytes_ = 0;        // of frames that the batch has read or written
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_SQLITE_CHANNELS_H_
