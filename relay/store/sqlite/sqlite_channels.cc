#include "relay/store/sqlite/sqlite_channels.h"

#include <algorithm>
#include <utility>

#include "relay/channel/log_rules.h"
#include "relay/channel/side_rules.h"
#include "relay/store/status_macros.h"
#include "relay/store/steady_now.h"

namespace wormhole::relay {
namespace {

// Bounds the memory that a batch's answers take until its commit.
constexpr size_t kMaxBatchBytes = 8 << 20;

}  // namespace

absl::Status SqliteChannels::ForEach(
    const std::function<void(const ChannelKey&, IdState state)>& visit) {
  ASSIGN_OR_RETURN(committed_bytes_, tables_.SumAllFrames());
  stored_bytes_.store(committed_bytes_, std::memory_order_relaxed);
  return tables_.ForEach(visit);
}

absl::StatusOr<std::optional<ChannelSnapshot>> SqliteChannels::Load(const ChannelKey& key) {
  ASSIGN_OR_RETURN(const Entry* entry, Find(key));
  if (entry == nullptr) return std::optional<ChannelSnapshot>();
  return std::optional<ChannelSnapshot>(entry->snapshot);
}

absl::StatusOr<std::optional<uint32_t>> SqliteChannels::FindSide(const std::string& app_id,
                                                                 std::string_view side) {
  ASSIGN_OR_RETURN(const std::optional<AppRow> app, FindApp(app_id));
  if (!app.has_value()) return std::optional<uint32_t>();
  return tables_.FindSide(*app, side);
}

absl::StatusOr<PutOutcome> SqliteChannels::Put(const ChannelKey& key, uint64_t expected,
                                               ChannelRecord record) {
  ASSIGN_OR_RETURN(const Entry* before, Find(key));
  if ((before == nullptr ? 0 : before->snapshot.record.version) != expected) {
    return PutOutcome::kStale;
  }
  if (before != nullptr && !before->snapshot.record.ended() &&
      !HasSameInitiator(before->snapshot.record, record)) {
    return PutOutcome::kStale;
  }
  ASSIGN_OR_RETURN(const bool taken, IsSideTaken(key, record));
  if (taken) return PutOutcome::kSideTaken;
  ASSIGN_OR_RETURN(const AppRow app, MakeApp(key.app_id));
  Entry after = {.row = ChannelRowOf(app, key.id), .snapshot = {.record = std::move(record)}};
  after.snapshot.record.version = expected + 1;
  if (before == nullptr) {
    RETURN_IF_ERROR(tables_.InsertChannel(after.row, after.snapshot.record));
    RETURN_IF_ERROR(MoveSides(app, key.id, {}, after.snapshot.record));
  } else {
    if (before->snapshot.record.ended() || after.snapshot.record.ended()) {
      RETURN_IF_ERROR(DropLogs(*before));
    } else {
      after.snapshot.logs = before->snapshot.logs;
    }
    RETURN_IF_ERROR(Replace(*before, after));
  }
  channels_.Insert(key, std::move(after));
  return PutOutcome::kDone;
}

absl::Status SqliteChannels::Replace(const Entry& before, const Entry& after) {
  const ChannelRecord& old_record = before.snapshot.record;
  const ChannelRecord& new_record = after.snapshot.record;
  RETURN_IF_ERROR(tables_.UpdateChannel(after.row, new_record));
  if (old_record.due_at != new_record.due_at) {
    RETURN_IF_ERROR(tables_.UpdateDue(after.row, new_record.due_at));
  }
  const auto id = static_cast<uint32_t>(after.row - ChannelRowOf(AppRowOf(after.row), 0));
  return MoveSides(AppRowOf(after.row), id, old_record, new_record);
}

absl::Status SqliteChannels::MoveSides(AppRow app, uint32_t id, const ChannelRecord& before,
                                       const ChannelRecord& after) {
  const bool rest = after.version != 0 && TakesThePlaceOf(before, after);
  for (const Member& member : before.members) {
    if (member.side.empty() || HasMember(after, member.side)) continue;
    RETURN_IF_ERROR(rest ? tables_.RestSide(app, member.side, before.due_at)
                         : tables_.DeleteSide(app, member.side));
  }
  for (const Member& member : after.members) {
    if (member.side.empty() || HasMember(before, member.side)) continue;
    RETURN_IF_ERROR(tables_.InsertSide(app, member.side, id));
  }
  return absl::OkStatus();
}

absl::Status SqliteChannels::DropLogs(const Entry& entry) {
  for (Role author : kRoles) {
    const LogState& log = entry.snapshot.log(author);
    if (log == LogState()) continue;
    stored_bytes_.fetch_sub(log.bytes, std::memory_order_relaxed);
    if (log.stored != log.forgotten) {
      RETURN_IF_ERROR(tables_.DeleteFrames(LogRowOf(entry.row, author), log.stored));
    }
    RETURN_IF_ERROR(tables_.UpdateLog(entry.row, author, LogState()));
  }
  return absl::OkStatus();
}

absl::StatusOr<PutOutcome> SqliteChannels::Erase(const ChannelKey& key, uint64_t expected) {
  ASSIGN_OR_RETURN(const Entry* entry, Find(key));
  if (entry == nullptr || entry->snapshot.record.version != expected) return PutOutcome::kStale;
  const AppRow app = AppRowOf(entry->row);
  RETURN_IF_ERROR(DropLogs(*entry));
  RETURN_IF_ERROR(MoveSides(app, key.id, entry->snapshot.record, {}));
  RETURN_IF_ERROR(tables_.DeleteChannel(entry->row));
  channels_.Erase(key);
  ASSIGN_OR_RETURN(const bool app_is_gone, tables_.DeleteAppIfEmpty(app));
  if (app_is_gone) apps_.Erase(key.app_id);
  return PutOutcome::kDone;
}

absl::StatusOr<AppendResult> SqliteChannels::Append(const ChannelRef& channel, uint64_t version,
                                                    Role author, uint64_t number,
                                                    std::string_view frame) {
  ASSIGN_OR_RETURN(Entry * entry, Find(channel));
  if (entry == nullptr || entry->snapshot.record.version != version) {
    return AppendResult{.outcome = AppendOutcome::kStale};
  }
  ASSIGN_OR_RETURN(const AppendOutcome outcome, Append(*entry, author, number, frame));
  return AppendResult{.outcome = outcome, .log = entry->snapshot.log(author)};
}

absl::StatusOr<AppendOutcome> SqliteChannels::Append(Entry& entry, Role author, uint64_t number,
                                                     std::string_view frame) {
  LogState& log = entry.snapshot.log(author);
  const LogRow row = LogRowOf(entry.row, author);
  switch (JudgeAppend(log, number)) {
    case AppendStep::kKeep:
      RETURN_IF_ERROR(tables_.InsertFrame(row, number, frame));
      batch_bytes_ += frame.size();
      stored_bytes_.fetch_add(frame.size(), std::memory_order_relaxed);
      log = CountKept(log, frame.size());
      return AppendOutcome::kDone;
    case AppendStep::kCount:
      log = CountForgotten(log);
      RETURN_IF_ERROR(tables_.UpdateLog(entry.row, author, log));
      return AppendOutcome::kDone;
    case AppendStep::kCompare: {
      ASSIGN_OR_RETURN(const bool same, tables_.IsSameFrame(row, number, frame));
      return same ? AppendOutcome::kDone : AppendOutcome::kConflict;
    }
    case AppendStep::kDone:
      return AppendOutcome::kDone;
    case AppendStep::kGap:
      break;
  }
  return AppendOutcome::kGap;
}

absl::StatusOr<LogState> SqliteChannels::Accept(const ChannelRef& channel, Role author,
                                                uint64_t cursor) {
  ASSIGN_OR_RETURN(Entry * entry, Find(channel));
  if (entry == nullptr) return absl::NotFoundError("the channel is gone");
  LogState& log = entry->snapshot.log(author);
  LogState after = RaiseAccepted(log, cursor);
  if (after == log) return after;
  if (after.forgotten > log.forgotten) {
    const LogRow row = LogRowOf(entry->row, author);
    if (after.forgotten == after.stored) {
      after.bytes = 0;
    } else {
      ASSIGN_OR_RETURN(const uint64_t bytes, tables_.SumFrames(row, after.forgotten));
      after.bytes -= bytes;
    }
    RETURN_IF_ERROR(tables_.DeleteFrames(row, after.forgotten));
  }
  RETURN_IF_ERROR(tables_.UpdateLog(entry->row, author, after));
  stored_bytes_.fetch_sub(log.bytes - after.bytes, std::memory_order_relaxed);
  log = after;
  return after;
}

absl::StatusOr<std::vector<StoredFrame>> SqliteChannels::Read(const ChannelRef& channel,
                                                              Role author, uint64_t after,
                                                              size_t max_bytes) {
  ASSIGN_OR_RETURN(const Entry* entry, Find(channel));
  std::vector<StoredFrame> frames;
  if (entry == nullptr) return frames;
  const LogState& log = entry->snapshot.log(author);
  if (std::max(after, log.forgotten) >= log.stored) return frames;
  ASSIGN_OR_RETURN(frames, tables_.ReadFrames(LogRowOf(entry->row, author), after, max_bytes));
  for (const StoredFrame& frame : frames) batch_bytes_ += frame.frame.size();
  return frames;
}

absl::StatusOr<std::vector<ChannelKey>> SqliteChannels::Due(absl::Time now, size_t limit) {
  // No client may come to a relay that is not ready, so that only this write shows that the store
  // works again.
  if (report_.failing()) RETURN_IF_ERROR(db_->Rewrite());
  ASSIGN_OR_RETURN(const bool forgot, tables_.ForgetRestedSides(now));
  if (forgot) apps_.Clear();
  return tables_.Due(now, limit);
}

absl::Status SqliteChannels::Commit(size_t operations) {
  batch_bytes_ = 0;
  apps_.Age();
  channels_.Age();
  // Reads succeed on a full disk, so that only a write shows that the trouble is over.
  const bool writes = db_->InTransaction();
  const absl::Duration began = SteadyNow();
  RETURN_IF_ERROR(files_.Check());
  if (writes) files_.ForgetSizes();
  absl::Status status = db_->Commit();
  if (writes) status.Update(files_.NoteSizes());
  if (status.ok()) committed_bytes_ = stored_bytes();
  if (writes && status.ok()) {
    report_.Worked();
    if (on_commit_) on_commit_(SteadyNow() - began, operations);
  }
  return status;
}

void SqliteChannels::Rollback(const absl::Status& cause) {
  report_.Failed(cause);
  batch_bytes_ = 0;
  stored_bytes_.store(committed_bytes_, std::memory_order_relaxed);
  apps_.Clear();
  channels_.Clear();
  db_->Rollback();
}

bool SqliteChannels::Full() const { return batch_bytes_ >= kMaxBatchBytes; }

absl::StatusOr<std::optional<AppRow>> SqliteChannels::FindApp(const std::string& app_id) {
  if (const AppRow* cached = apps_.Find(app_id); cached != nullptr) {
    return std::optional<AppRow>(*cached);
  }
  ASSIGN_OR_RETURN(const std::optional<AppRow> app, tables_.FindApp(app_id));
  if (app.has_value()) apps_.Insert(app_id, *app);
  return app;
}

absl::StatusOr<AppRow> SqliteChannels::MakeApp(const std::string& app_id) {
  ASSIGN_OR_RETURN(const std::optional<AppRow> found, FindApp(app_id));
  if (found.has_value()) return *found;
  ASSIGN_OR_RETURN(const AppRow app, tables_.InsertApp(app_id));
  apps_.Insert(app_id, app);
  return app;
}

absl::StatusOr<SqliteChannels::Entry*> SqliteChannels::Find(const ChannelKey& key) {
  if (Entry* cached = channels_.Find(key); cached != nullptr) return cached;
  ASSIGN_OR_RETURN(const std::optional<AppRow> app, FindApp(key.app_id));
  if (!app.has_value()) return nullptr;
  const ChannelRow row = ChannelRowOf(*app, key.id);
  ASSIGN_OR_RETURN(std::optional<ChannelSnapshot> snapshot, tables_.FindChannel(row));
  if (!snapshot.has_value()) return nullptr;
  return channels_.Insert(key, {.row = row, .snapshot = *std::move(snapshot)});
}

absl::StatusOr<SqliteChannels::Entry*> SqliteChannels::Find(const ChannelRef& channel) {
  ASSIGN_OR_RETURN(Entry * entry, Find(channel.key));
  return entry != nullptr && channel.Names(entry->snapshot.record) ? entry : nullptr;
}

absl::StatusOr<bool> SqliteChannels::IsSideTaken(const ChannelKey& key,
                                                 const ChannelRecord& record) {
  ASSIGN_OR_RETURN(const Entry* before, Find(key));
  for (const Member& member : record.members) {
    if (member.side.empty()) continue;
    if (before != nullptr && !TakesThePlaceOf(before->snapshot.record, record) &&
        HasMember(before->snapshot.record, member.side)) {
      continue;
    }
    ASSIGN_OR_RETURN(const std::optional<uint32_t> owner, FindSide(key.app_id, member.side));
    if (owner.has_value()) return true;
  }
  return false;
}

}  // namespace wormhole::relay
