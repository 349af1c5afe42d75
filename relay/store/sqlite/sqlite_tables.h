// The rows of a relay's SQLite file, one method per statement. Knows the schema
// (relay/store/sqlite/sqlite_schema.cc) and nothing else.
//
// Not thread-safe. Every other error is UNAVAILABLE, STORE_AWAY. The first write begins a
// transaction.
#ifndef WORMHOLE_RELAY_STORE_SQLITE_SQLITE_TABLES_H_
#define WORMHOLE_RELAY_STORE_SQLITE_SQLITE_TABLES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "relay/channel/record.h"
#include "relay/store/memory/memory_channels.h"
#include "relay/store/sqlite/sqlite_db.h"

namespace wormhole::relay {

// Primary keys: of an app-id, a channel, one author's log.
using AppRow = int64_t;
using ChannelRow = int64_t;
using LogRow = int64_t;

inline constexpr int kIdBits = 30;
inline ChannelRow ChannelRowOf(AppRow app, uint32_t id) { return (app << kIdBits) | id; }
inline LogRow LogRowOf(ChannelRow channel, Role author) {
  return channel * 2 + static_cast<int64_t>(author);
}

class SqliteTables {
 public:
  explicit SqliteTables(SqliteDb* db) : db_(db) {}

  // --- All that is there. What a visit returns ends the reading unless it is OK. DATA_LOSS when a
  // row is none that a relay has written.

  // `batch`: the last one that the row reflects.
  using VisitChannel =
      std::function<absl::Status(const ChannelKey& key, int64_t batch, KeptChannel channel)>;
  absl::Status ReadChannels(const VisitChannel& visit);
  absl::Status ReadRests(const std::function<void(const RestingSide& side)>& visit);
  // In the order of their numbers.
  using VisitBatch = std::function<absl::Status(int64_t number, std::string_view changes)>;
  absl::Status ReadBatches(const VisitBatch& visit);

  // --- Batches.

  absl::Status InsertBatch(int64_t number, std::string_view changes);
  // Those with lower numbers.
  absl::Status DeleteBatches(int64_t number);

  // --- Rows. An app is there as long as it has a channel, or a side that rests.

  // Puts the channel as it is, with its frames.
  absl::Status PutChannel(const ChannelKey& key, int64_t batch, const KeptChannel& channel);
  // If it is there.
  absl::Status DeleteChannel(const ChannelKey& key);
  absl::Status PutRest(const RestingSide& side);
  absl::Status DeleteRest(std::string_view app_id, std::string_view side);

 private:
  absl::StatusOr<std::optional<AppRow>> FindApp(std::string_view name);
  absl::StatusOr<AppRow> MakeApp(std::string_view name);
  absl::Status DeleteAppIfEmpty(AppRow app);
  absl::Status ReadFrames(LogRow log, KeptLog& to);
  absl::Status PutFrames(LogRow log, const KeptLog& kept);
  absl::Status DeleteFrames(ChannelRow channel);

  SqliteDb* const db_;
  Statement find_app_{db_, "SELECT app FROM apps WHERE name = ?"};
  Statement insert_app_{db_, "INSERT INTO apps (name) VALUES (?)"};
  Statement delete_app_{
      db_,
      "DELETE FROM apps WHERE app = ?1 AND NOT EXISTS (SELECT 1 FROM channels WHERE channel "
      "BETWEEN "
      "(?1 << 30) AND ((?1 + 1) << 30) - 1) AND NOT EXISTS (SELECT 1 FROM rests WHERE app = ?1)"};
  Statement read_channels_{
      db_,
      "SELECT version, named, life, ended_by, created_at, due_at, initiator, initiator_left, "
      "receiver, receiver_left, initiator_forgotten, initiator_accepted, receiver_forgotten, "
      "receiver_accepted, batch, channel, name FROM channels JOIN apps ON app = channel >> 30 "
      "ORDER BY channel"};
  Statement put_channel_{
      db_,
      "INSERT OR REPLACE INTO channels (version, named, life, ended_by, created_at, due_at, "
      "initiator, initiator_left, receiver, receiver_left, initiator_forgotten, "
      "initiator_accepted, receiver_forgotten, receiver_accepted, batch, channel) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"};
  Statement delete_channel_{db_, "DELETE FROM channels WHERE channel = ?"};
  Statement read_frames_{db_, "SELECT number, frame FROM frames WHERE log = ? ORDER BY number"};
  Statement insert_frame_{db_, "INSERT INTO frames (log, number, frame) VALUES (?, ?, ?)"};
  Statement delete_frames_{db_, "DELETE FROM frames WHERE log BETWEEN ? AND ?"};
  Statement read_rests_{db_, "SELECT name, side, id, until FROM rests JOIN apps USING (app)"};
  Statement put_rest_{db_,
                      "INSERT OR REPLACE INTO rests (app, side, id, until) VALUES (?, ?, ?, ?)"};
  Statement delete_rest_{db_, "DELETE FROM rests WHERE app = ? AND side = ?"};
  Statement read_batches_{db_, "SELECT batch, changes FROM batches ORDER BY batch"};
  Statement insert_batch_{db_, "INSERT INTO batches (batch, changes) VALUES (?, ?)"};
  Statement delete_batches_{db_, "DELETE FROM batches WHERE batch < ?"};
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_SQLITE_TABLES_H_
