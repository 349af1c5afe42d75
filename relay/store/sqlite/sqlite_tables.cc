#include "relay/store/sqlite/sqlite_tables.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "relay/store/status_macros.h"

namespace wormhole::relay {
namespace {

constexpr int64_t kMaxInteger = std::numeric_limits<int64_t>::max();

// SQLite's integers are signed. Kept is for values that SQLite only keeps: it leaves their bits
// alone. Compared is for limits that SQLite compares with: it cuts them to SQLite's largest
// integer, which no frame's number reaches.
int64_t Kept(uint64_t value) { return static_cast<int64_t>(value); }
int64_t Compared(uint64_t value) {
  return static_cast<int64_t>(std::min(value, static_cast<uint64_t>(kMaxInteger)));
}

uint32_t IdOf(ChannelRow channel) {
  return static_cast<uint32_t>(channel & ((int64_t{1} << kIdBits) - 1));
}

Member MemberAt(const StatementRun& run, int column) {
  return {.side = std::string(run.ColumnBytes(column)), .left = run.ColumnInteger(column + 1) != 0};
}

ChannelSnapshot SnapshotOf(const StatementRun& run) {
  ChannelSnapshot snapshot;
  snapshot.record = {
      .version = static_cast<uint64_t>(run.ColumnInteger(0)),
      .named = run.ColumnInteger(1) != 0,
      .life = static_cast<Life>(run.ColumnInteger(2)),
      .ended_by = static_cast<Mood>(run.ColumnInteger(3)),
      .created_at = absl::FromUnixMicros(run.ColumnInteger(4)),
      .due_at = absl::FromUnixMicros(run.ColumnInteger(5)),
      .members = {{MemberAt(run, 6), MemberAt(run, 8)}},
  };
  for (Role author : kRoles) {
    LogState& log = snapshot.log(author);
    const int column = 10 + 2 * static_cast<int>(author);
    log.forgotten = static_cast<uint64_t>(run.ColumnInteger(column));
    log.accepted = static_cast<uint64_t>(run.ColumnInteger(column + 1));
    log.stored = log.forgotten;
  }
  return snapshot;
}

void BindRecord(StatementRun& run, ChannelRow channel, const ChannelRecord& record) {
  run.Integer(Kept(record.version))
      .Integer(record.named ? 1 : 0)
      .Integer(static_cast<int64_t>(record.life))
      .Integer(static_cast<int64_t>(record.ended_by))
      .Integer(absl::ToUnixMicros(record.created_at));
  for (const Member& member : record.members) run.Blob(member.side).Integer(member.left ? 1 : 0);
  run.Integer(channel);
}

}  // namespace

absl::StatusOr<std::optional<AppRow>> SqliteTables::FindApp(std::string_view name) {
  StatementRun run(find_app_);
  ASSIGN_OR_RETURN(const bool found, run.Text(name).Next());
  if (!found) return std::optional<AppRow>();
  return std::optional<AppRow>(run.ColumnInteger(0));
}

absl::StatusOr<AppRow> SqliteTables::InsertApp(std::string_view name) {
  RETURN_IF_ERROR(StatementRun(insert_app_).Text(name).Finish());
  return db_->LastInsertRow();
}

absl::StatusOr<bool> SqliteTables::DeleteAppIfEmpty(AppRow app) {
  StatementRun any(any_channel_);
  any.Integer(ChannelRowOf(app, 0)).Integer(ChannelRowOf(app + 1, 0) - 1);
  ASSIGN_OR_RETURN(const bool has_channels, any.Next());
  if (has_channels) return false;
  StatementRun resting(any_resting_);
  ASSIGN_OR_RETURN(const bool has_sides, resting.Integer(app).Next());
  if (has_sides) return false;
  RETURN_IF_ERROR(StatementRun(delete_app_).Integer(app).Finish());
  return true;
}

absl::StatusOr<std::optional<ChannelSnapshot>> SqliteTables::FindChannel(ChannelRow channel) {
  StatementRun run(find_channel_);
  ASSIGN_OR_RETURN(const bool found, run.Integer(channel).Next());
  if (!found) return std::optional<ChannelSnapshot>();
  std::optional<ChannelSnapshot> snapshot = SnapshotOf(run);
  RETURN_IF_ERROR(FindLogs(channel, *snapshot));
  return snapshot;
}

absl::Status SqliteTables::FindLogs(ChannelRow channel, ChannelSnapshot& snapshot) {
  StatementRun run(find_logs_);
  run.Integer(LogRowOf(channel, Role::kInitiator)).Integer(LogRowOf(channel, Role::kReceiver));
  while (true) {
    ASSIGN_OR_RETURN(const bool found, run.Next());
    if (!found) return absl::OkStatus();
    LogState& log = snapshot.log(static_cast<Role>(run.ColumnInteger(0)));
    log.stored = static_cast<uint64_t>(run.ColumnInteger(1));
    log.bytes = static_cast<uint64_t>(run.ColumnInteger(2));
  }
}

absl::Status SqliteTables::InsertChannel(ChannelRow channel, const ChannelRecord& record) {
  StatementRun run(insert_channel_);
  BindRecord(run, channel, record);
  return run.Integer(absl::ToUnixMicros(record.due_at)).Finish();
}

absl::Status SqliteTables::UpdateChannel(ChannelRow channel, const ChannelRecord& record) {
  StatementRun run(update_channel_);
  BindRecord(run, channel, record);
  return run.Finish();
}

absl::Status SqliteTables::UpdateDue(ChannelRow channel, absl::Time due_at) {
  return StatementRun(update_due_).Integer(absl::ToUnixMicros(due_at)).Integer(channel).Finish();
}

absl::Status SqliteTables::DeleteChannel(ChannelRow channel) {
  return StatementRun(delete_channel_).Integer(channel).Finish();
}

absl::StatusOr<std::optional<uint32_t>> SqliteTables::FindSide(AppRow app, std::string_view side) {
  StatementRun run(find_side_);
  ASSIGN_OR_RETURN(const bool found, run.Integer(app).Blob(side).Next());
  if (!found) return std::optional<uint32_t>();
  return std::optional<uint32_t>(static_cast<uint32_t>(run.ColumnInteger(0)));
}

absl::Status SqliteTables::InsertSide(AppRow app, std::string_view side, uint32_t id) {
  return StatementRun(insert_side_).Integer(app).Blob(side).Integer(id).Finish();
}

absl::Status SqliteTables::DeleteSide(AppRow app, std::string_view side) {
  return StatementRun(delete_side_).Integer(app).Blob(side).Finish();
}

absl::Status SqliteTables::RestSide(AppRow app, std::string_view side, absl::Time until) {
  StatementRun run(rest_side_);
  return run.Integer(app).Blob(side).Integer(absl::ToUnixMicros(until)).Finish();
}

// Reads first: the relay calls this four times a second, and must not write each time.
absl::StatusOr<bool> SqliteTables::ForgetRestedSides(absl::Time now) {
  const int64_t until = absl::ToUnixMicros(now);
  {
    StatementRun any(any_rested_);
    ASSIGN_OR_RETURN(const bool found, any.Integer(until).Next());
    if (!found) return false;
  }
  RETURN_IF_ERROR(StatementRun(delete_rested_sides_).Integer(until).Finish());
  RETURN_IF_ERROR(StatementRun(delete_rested_apps_).Integer(until).Finish());
  RETURN_IF_ERROR(StatementRun(delete_rested_).Integer(until).Finish());
  return true;
}

absl::Status SqliteTables::UpdateLog(ChannelRow channel, Role author, const LogState& log) {
  StatementRun run(update_logs_[static_cast<size_t>(author)]);
  run.Integer(Kept(log.forgotten)).Integer(Kept(log.accepted)).Integer(channel);
  return run.Finish();
}

absl::Status SqliteTables::InsertFrame(LogRow log, uint64_t number, std::string_view frame) {
  return StatementRun(insert_frame_).Integer(log).Integer(Kept(number)).Blob(frame).Finish();
}

absl::StatusOr<bool> SqliteTables::IsSameFrame(LogRow log, uint64_t number,
                                               std::string_view frame) {
  StatementRun run(same_frame_);
  ASSIGN_OR_RETURN(const bool found, run.Blob(frame).Integer(log).Integer(Kept(number)).Next());
  return found && run.ColumnInteger(0) != 0;
}

absl::StatusOr<uint64_t> SqliteTables::SumFrames(LogRow log, uint64_t last) {
  StatementRun run(sum_frames_);
  RETURN_IF_ERROR(run.Integer(log).Integer(Compared(last)).Next().status());
  return static_cast<uint64_t>(run.ColumnInteger(0));
}

absl::StatusOr<uint64_t> SqliteTables::SumAllFrames() {
  StatementRun run(sum_all_frames_);
  RETURN_IF_ERROR(run.Next().status());
  return static_cast<uint64_t>(run.ColumnInteger(0));
}

absl::StatusOr<std::vector<StoredFrame>> SqliteTables::ReadFrames(LogRow log, uint64_t after,
                                                                  size_t max_bytes) {
  StatementRun run(read_frames_);
  run.Integer(log).Integer(Compared(after));
  std::vector<StoredFrame> frames;
  size_t bytes = 0;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, run.Next());
    if (!found) return frames;
    const std::string_view frame = run.ColumnBytes(1);
    bytes += frame.size();
    if (!frames.empty() && bytes > max_bytes) return frames;
    frames.push_back(
        {.number = static_cast<uint64_t>(run.ColumnInteger(0)), .frame = std::string(frame)});
  }
}

absl::Status SqliteTables::DeleteFrames(LogRow log, uint64_t last) {
  return StatementRun(delete_frames_).Integer(log).Integer(Compared(last)).Finish();
}

absl::StatusOr<std::vector<ChannelKey>> SqliteTables::Due(absl::Time now, size_t limit) {
  StatementRun run(due_);
  run.Integer(absl::ToUnixMicros(now)).Integer(Compared(limit));
  std::vector<ChannelKey> keys;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, run.Next());
    if (!found) return keys;
    keys.push_back({std::string(run.ColumnBytes(0)), IdOf(run.ColumnInteger(1))});
  }
}

absl::Status SqliteTables::ForEach(
    const std::function<void(const ChannelKey&, IdState state)>& visit) {
  StatementRun run(for_each_);
  ChannelKey key;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, run.Next());
    if (!found) return absl::OkStatus();
    key.app_id = run.ColumnBytes(0);
    key.id = IdOf(run.ColumnInteger(1));
    if (key.id == 0 || key.id > kMaxChannelId) {
      return absl::DataLossError(
          absl::StrCat("the SQLite file has a channel ", key.id,
                       ", which is none: restore a backup, or move it away"));
    }
    ChannelRecord record{.life = static_cast<Life>(run.ColumnInteger(2)),
                         .ended_by = static_cast<Mood>(run.ColumnInteger(3))};
    record.member(Role::kInitiator).left = run.ColumnInteger(4) != 0;
    record.member(Role::kReceiver).left = run.ColumnInteger(5) != 0;
    visit(key, IdStateOf(record));
  }
}

}  // namespace wormhole::relay
