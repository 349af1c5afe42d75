// The rows of a relay's SQLite file, one method per statement. Knows the schema
// (relay/store/sqlite/sqlite_schema.cc) and nothing else.
//
// Not thread-safe. Every error is UNAVAILABLE, STORE_AWAY. The first write begins a transaction.
#ifndef WORMHOLE_RELAY_STORE_SQLITE_SQLITE_TABLES_H_
#define WORMHOLE_RELAY_STORE_SQLITE_SQLITE_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/store/sqlite/sqlite_db.h"
#include "relay/store/store.h"

namespace wormhole::relay {

// Primary keys: of an app-id, a channel, one author's log.
using AppRow = int64_t;
using ChannelRow = int64_t;
using LogRow = int64_t;

inline constexpr int kIdBits = 30;
inline ChannelRow ChannelRowOf(AppRow app, uint32_t id) { return (app << kIdBits) | id; }
inline AppRow AppRowOf(ChannelRow channel) { return channel >> kIdBits; }
inline LogRow LogRowOf(ChannelRow channel, Role author) {
  return channel * 2 + static_cast<int64_t>(author);
}

class SqliteTables {
 public:
  explicit SqliteTables(SqliteDb* db) : db_(db) {}

  absl::StatusOr<std::optional<AppRow>> FindApp(std::string_view name);
  absl::StatusOr<AppRow> InsertApp(std::string_view name);
  // Deletes the app if it has no channel, and no side that rests; returns whether it did.
  absl::StatusOr<bool> DeleteAppIfEmpty(AppRow app);

  absl::StatusOr<std::optional<ChannelSnapshot>> FindChannel(ChannelRow channel);
  absl::Status InsertChannel(ChannelRow channel, const ChannelRecord& record);
  // Everything of the record but due_at, which has an index and a method of its own.
  absl::Status UpdateChannel(ChannelRow channel, const ChannelRecord& record);
  absl::Status UpdateDue(ChannelRow channel, absl::Time due_at);
  absl::Status DeleteChannel(ChannelRow channel);

  absl::StatusOr<std::optional<uint32_t>> FindSide(AppRow app, std::string_view side);
  absl::Status InsertSide(AppRow app, std::string_view side, uint32_t id);
  absl::Status DeleteSide(AppRow app, std::string_view side);
  // Keeps the side until a ForgetRestedSides at `until` or later.
  absl::Status RestSide(AppRow app, std::string_view side, absl::Time until);
  // Forgets the sides whose rest is over, and the apps that have nothing else. Returns whether any
  // rest was over. Keeps a side that is a member of the channel that its row names: an older relay,
  // which knew of no resting sides, has let that side in again.
  absl::StatusOr<bool> ForgetRestedSides(absl::Time now);

  absl::Status UpdateLog(ChannelRow channel, Role author, const LogState& log);
  absl::Status InsertFrame(LogRow log, uint64_t number, std::string_view frame);
  absl::StatusOr<bool> IsSameFrame(LogRow log, uint64_t number, std::string_view frame);
  // The bytes of the frames up to `last`.
  absl::StatusOr<uint64_t> SumFrames(LogRow log, uint64_t last);
  // Of all logs.
  absl::StatusOr<uint64_t> SumAllFrames();
  absl::StatusOr<std::vector<StoredFrame>> ReadFrames(LogRow log, uint64_t after, size_t max_bytes);
  absl::Status DeleteFrames(LogRow log, uint64_t last);

  absl::StatusOr<std::vector<ChannelKey>> Due(absl::Time now, size_t limit);
  absl::Status ForEach(const std::function<void(const ChannelKey&, IdState state)>& visit);

 private:
  absl::Status FindLogs(ChannelRow channel, ChannelSnapshot& snapshot);

  SqliteDb* const db_;
  Statement find_app_{db_, "SELECT app FROM apps WHERE name = ?"};
  Statement insert_app_{db_, "INSERT INTO apps (name) VALUES (?)"};
  Statement any_channel_{db_, "SELECT 1 FROM channels WHERE channel BETWEEN ? AND ? LIMIT 1"};
  Statement delete_app_{db_, "DELETE FROM apps WHERE app = ?"};
  Statement find_channel_{
      db_,
      "SELECT version, named, life, ended_by, created_at, due_at, initiator, initiator_left, "
      "receiver, receiver_left, initiator_forgotten, initiator_accepted, receiver_forgotten, "
      "receiver_accepted FROM channels WHERE channel = ?"};
  Statement insert_channel_{
      db_,
      "INSERT INTO channels (version, named, life, ended_by, created_at, initiator, "
      "initiator_left, receiver, receiver_left, channel, due_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"};
  Statement update_channel_{
      db_,
      "UPDATE channels SET version = ?, named = ?, life = ?, ended_by = ?, created_at = ?, "
      "initiator = ?, initiator_left = ?, receiver = ?, receiver_left = ? WHERE channel = ?"};
  Statement update_due_{db_, "UPDATE channels SET due_at = ? WHERE channel = ?"};
  Statement delete_channel_{db_, "DELETE FROM channels WHERE channel = ?"};
  Statement find_side_{db_, "SELECT id FROM sides WHERE app = ? AND side = ?"};
  Statement insert_side_{db_, "INSERT OR REPLACE INTO sides (app, side, id) VALUES (?, ?, ?)"};
  Statement delete_side_{db_, "DELETE FROM sides WHERE app = ? AND side = ?"};
  Statement rest_side_{db_,
                       "INSERT OR REPLACE INTO resting_sides (app, side, until) VALUES (?, ?, ?)"};
  Statement any_rested_{db_, "SELECT 1 FROM resting_sides WHERE until <= ? LIMIT 1"};
  Statement delete_rested_sides_{
      db_,
      "DELETE FROM sides WHERE (app, side) IN (SELECT app, side FROM resting_sides WHERE until <= "
      "?) AND NOT EXISTS (SELECT 1 FROM channels WHERE channel = (sides.app << 30) + sides.id AND "
      "sides.side IN (initiator, receiver))"};
  Statement delete_rested_{db_, "DELETE FROM resting_sides WHERE until <= ?"};
  Statement delete_rested_apps_{
      db_,
      "DELETE FROM apps WHERE app IN (SELECT app FROM resting_sides WHERE until <= ?1) AND "
      "NOT EXISTS (SELECT 1 FROM channels WHERE "
      "channel BETWEEN (apps.app << 30) AND ((apps.app + 1) << 30) - 1) AND "
      "NOT EXISTS (SELECT 1 FROM resting_sides AS rest WHERE rest.app = apps.app AND until > ?1)"};
  Statement any_resting_{db_, "SELECT 1 FROM resting_sides WHERE app = ? LIMIT 1"};
  Statement update_logs_[2] = {
      {db_,
       "UPDATE channels SET initiator_forgotten = ?, initiator_accepted = ? WHERE channel = ?"},
      {db_, "UPDATE channels SET receiver_forgotten = ?, receiver_accepted = ? WHERE channel = ?"}};
  Statement find_logs_{
      db_,
      "SELECT log & 1, max(number), sum(length(frame)) FROM frames WHERE log BETWEEN ? AND ? "
      "GROUP BY log"};
  Statement insert_frame_{db_, "INSERT INTO frames (log, number, frame) VALUES (?, ?, ?)"};
  Statement same_frame_{db_, "SELECT frame = ? FROM frames WHERE log = ? AND number = ?"};
  Statement sum_frames_{db_, "SELECT sum(length(frame)) FROM frames WHERE log = ? AND number <= ?"};
  Statement sum_all_frames_{db_, "SELECT sum(length(frame)) FROM frames"};
  Statement read_frames_{
      db_, "SELECT number, frame FROM frames WHERE log = ? AND number > ? ORDER BY number"};
  Statement delete_frames_{db_, "DELETE FROM frames WHERE log = ? AND number <= ?"};
  Statement due_{db_,
                 "SELECT name, channel FROM channels JOIN apps ON app = channel >> 30 "
                 "WHERE due_at <= ? ORDER BY due_at, channel LIMIT ?"};
  Statement for_each_{db_,
                      "SELECT name, channel, life, ended_by, initiator_left, receiver_left "
                      "FROM channels JOIN apps ON app = channel >> 30 ORDER BY channel"};
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_SQLITE_TABLES_H_
