#include "relay/store/sqlite/sqlite_tables.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "relay/store/status_macros.h"

namespace wormhole::relay {
namespace {

// SQLite's integers are signed, and only keep these: their bits stay as they are.
int64_t Kept(uint64_t value) { return static_cast<int64_t>(value); }

uint32_t IdOf(ChannelRow channel) {
  return static_cast<uint32_t>(channel & ((int64_t{1} << kIdBits) - 1));
}

Member MemberAt(const StatementRun& run, int column) {
  return {.side = std::string(run.ColumnBytes(column)), .left = run.ColumnInteger(column + 1) != 0};
}

absl::Status Damaged(uint32_t id, const char* what) {
  return absl::DataLossError(absl::StrCat("channel ", id, " ", what));
}

// Before they are made an enum's.
bool HasEndedAsOneCan(int64_t life, int64_t ended_by) {
  return life >= 0 && life <= static_cast<int64_t>(Life::kExpired) && ended_by >= 0 &&
         ended_by <= rendezvous::v1::Mood_MAX;
}

// Without its frames.
KeptChannel ChannelAt(const StatementRun& run) {
  KeptChannel channel;
  channel.record = {
      .version = static_cast<uint64_t>(run.ColumnInteger(0)),
      .named = run.ColumnInteger(1) != 0,
      .life = static_cast<Life>(run.ColumnInteger(2)),
      .ended_by = static_cast<Mood>(run.ColumnInteger(3)),
      .created_at = absl::FromUnixMicros(run.ColumnInteger(4)),
      .due_at = absl::FromUnixMicros(run.ColumnInteger(5)),
      .members = {{MemberAt(run, 6), MemberAt(run, 8)}},
  };
  for (const Role author : kRoles) {
    LogState& log = channel.logs[author].state;
    const int column = 10 + 2 * static_cast<int>(author);
    log.forgotten = static_cast<uint64_t>(run.ColumnInteger(column));
    log.accepted = static_cast<uint64_t>(run.ColumnInteger(column + 1));
    log.stored = log.forgotten;
  }
  return channel;
}

}  // namespace

// --- All that is there.

absl::Status SqliteTables::ReadChannels(const VisitChannel& visit) {
  StatementRun run(read_channels_);
  while (true) {
    ASSIGN_OR_RETURN(const bool found, run.Next());
    if (!found) return absl::OkStatus();
    const int64_t batch = run.ColumnInteger(14);
    const ChannelRow row = run.ColumnInteger(15);
    if (!HasEndedAsOneCan(run.ColumnInteger(2), run.ColumnInteger(3))) {
      return Damaged(IdOf(row), "has ended as none can");
    }
    KeptChannel channel = ChannelAt(run);
    const ChannelKey key{std::string(run.ColumnBytes(16)), IdOf(row)};
    for (const Role author : kRoles) {
      RETURN_IF_ERROR(ReadFrames(LogRowOf(row, author), channel.logs[author]));
    }
    RETURN_IF_ERROR(visit(key, batch, std::move(channel)));
  }
}

absl::Status SqliteTables::ReadFrames(LogRow log, KeptLog& to) {
  StatementRun run(read_frames_);
  run.Integer(log);
  while (true) {
    ASSIGN_OR_RETURN(const bool found, run.Next());
    if (!found) return absl::OkStatus();
    if (static_cast<uint64_t>(run.ColumnInteger(0)) != ++to.state.stored) {
      return Damaged(IdOf(log / 2), "lacks some of its frames");
    }
    to.frames.push_back(std::make_shared<const std::string>(run.ColumnBytes(1)));
  }
}

absl::Status SqliteTables::ReadRests(const std::function<void(const RestingSide& side)>& visit) {
  StatementRun run(read_rests_);
  while (true) {
    ASSIGN_OR_RETURN(const bool found, run.Next());
    if (!found) return absl::OkStatus();
    visit({.app_id = std::string(run.ColumnBytes(0)),
           .side = std::string(run.ColumnBytes(1)),
           .id = static_cast<uint32_t>(run.ColumnInteger(2)),
           .until = absl::FromUnixMicros(run.ColumnInteger(3))});
  }
}

absl::Status SqliteTables::ReadBatches(const VisitBatch& visit) {
  StatementRun run(read_batches_);
  while (true) {
    ASSIGN_OR_RETURN(const bool found, run.Next());
    if (!found) return absl::OkStatus();
    RETURN_IF_ERROR(visit(run.ColumnInteger(0), run.ColumnBytes(1)));
  }
}

// --- Batches.

absl::Status SqliteTables::InsertBatch(int64_t number, std::string_view changes) {
  return StatementRun(insert_batch_).Integer(number).Blob(changes).Finish();
}

absl::Status SqliteTables::DeleteBatches(int64_t number) {
  return StatementRun(delete_batches_).Integer(number).Finish();
}

// --- Rows.

absl::Status SqliteTables::PutChannel(const ChannelKey& key, int64_t batch,
                                      const KeptChannel& channel) {
  ASSIGN_OR_RETURN(const AppRow app, MakeApp(key.app_id));
  const ChannelRow row = ChannelRowOf(app, key.id);
  const ChannelRecord& record = channel.record;
  StatementRun run(put_channel_);
  run.Integer(Kept(record.version))
      .Integer(record.named ? 1 : 0)
      .Integer(static_cast<int64_t>(record.life))
      .Integer(static_cast<int64_t>(record.ended_by))
      .Integer(absl::ToUnixMicros(record.created_at))
      .Integer(absl::ToUnixMicros(record.due_at));
  for (const Member& member : record.members) run.Blob(member.side).Integer(member.left ? 1 : 0);
  for (const KeptLog& log : channel.logs) {
    run.Integer(Kept(log.state.forgotten)).Integer(Kept(log.state.accepted));
  }
  RETURN_IF_ERROR(run.Integer(batch).Integer(row).Finish());
  RETURN_IF_ERROR(DeleteFrames(row));
  for (const Role author : kRoles) {
    RETURN_IF_ERROR(PutFrames(LogRowOf(row, author), channel.logs[author]));
  }
  return absl::OkStatus();
}

absl::Status SqliteTables::PutFrames(LogRow log, const KeptLog& kept) {
  uint64_t number = kept.state.forgotten;
  for (const auto& frame : kept.frames) {
    StatementRun run(insert_frame_);
    RETURN_IF_ERROR(run.Integer(log).Integer(Kept(++number)).Blob(*frame).Finish());
  }
  return absl::OkStatus();
}

absl::Status SqliteTables::DeleteFrames(ChannelRow channel) {
  StatementRun run(delete_frames_);
  return run.Integer(LogRowOf(channel, Role::kInitiator))
      .Integer(LogRowOf(channel, Role::kReceiver))
      .Finish();
}

absl::Status SqliteTables::DeleteChannel(const ChannelKey& key) {
  ASSIGN_OR_RETURN(const std::optional<AppRow> app, FindApp(key.app_id));
  if (!app) return absl::OkStatus();
  const ChannelRow row = ChannelRowOf(*app, key.id);
  RETURN_IF_ERROR(DeleteFrames(row));
  RETURN_IF_ERROR(StatementRun(delete_channel_).Integer(row).Finish());
  return DeleteAppIfEmpty(*app);
}

absl::Status SqliteTables::PutRest(const RestingSide& side) {
  ASSIGN_OR_RETURN(const AppRow app, MakeApp(side.app_id));
  StatementRun run(put_rest_);
  return run.Integer(app)
      .Blob(side.side)
      .Integer(side.id)
      .Integer(absl::ToUnixMicros(side.until))
      .Finish();
}

absl::Status SqliteTables::DeleteRest(std::string_view app_id, std::string_view side) {
  ASSIGN_OR_RETURN(const std::optional<AppRow> app, FindApp(app_id));
  if (!app) return absl::OkStatus();
  RETURN_IF_ERROR(StatementRun(delete_rest_).Integer(*app).Blob(side).Finish());
  return DeleteAppIfEmpty(*app);
}

absl::StatusOr<std::optional<AppRow>> SqliteTables::FindApp(std::string_view name) {
  StatementRun run(find_app_);
  ASSIGN_OR_RETURN(const bool found, run.Text(name).Next());
  if (!found) return std::optional<AppRow>();
  return std::optional<AppRow>(run.ColumnInteger(0));
}

absl::StatusOr<AppRow> SqliteTables::MakeApp(std::string_view name) {
  ASSIGN_OR_RETURN(const std::optional<AppRow> app, FindApp(name));
  if (app) return *app;
  RETURN_IF_ERROR(StatementRun(insert_app_).Text(name).Finish());
  return db_->LastInsertRow();
}

absl::Status SqliteTables::DeleteAppIfEmpty(AppRow app) {
  return StatementRun(delete_app_).Integer(app).Finish();
}

}  // namespace wormhole::relay
