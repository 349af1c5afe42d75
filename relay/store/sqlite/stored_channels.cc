#include "relay/store/sqlite/stored_channels.h"

#include <algorithm>
#include <cstddef>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "relay/store/status_macros.h"

namespace wormhole::relay {
namespace {

using store::StoredChange;
using store::StoredLog;
using store::StoredRecord;
using store::StoredRest;

absl::Status Damaged(const ChannelKey& key, const char* what) {
  return absl::DataLossError(absl::StrCat("channel ", key.id, " ", what));
}

absl::Status CheckRecord(const ChannelKey& key, uint64_t version, uint32_t life,
                         uint32_t ended_by) {
  if (version == 0) return Damaged(key, "has no version");
  if (life > static_cast<uint32_t>(Life::kExpired) || ended_by > rendezvous::v1::Mood_MAX) {
    return Damaged(key, "has ended as none can");
  }
  return absl::OkStatus();
}

bool IsAnId(uint32_t id) { return id != 0 && id <= kMaxChannelId; }

ChannelRecord RecordOf(const StoredRecord& stored) {
  return {.version = stored.version(),
          .named = stored.named(),
          .life = static_cast<Life>(stored.life()),
          .ended_by = static_cast<Mood>(stored.ended_by()),
          .created_at = absl::FromUnixMicros(stored.created_at()),
          .due_at = absl::FromUnixMicros(stored.due_at()),
          .members = {{Member{.side = stored.initiator(), .left = stored.initiator_left()},
                       Member{.side = stored.receiver(), .left = stored.receiver_left()}}}};
}

// As relay/channel/log_rules.h keeps logs.
bool IsWhole(const KeptLog& log) {
  constexpr uint64_t kMost = uint64_t{1} << 63;
  return log.state.stored < kMost && log.state.accepted < kMost &&
         log.state.forgotten == std::min(log.state.stored, log.state.accepted) &&
         log.frames.size() == log.state.stored - log.state.forgotten;
}

void CountBytes(KeptLog& log) {
  log.state.bytes = 0;
  for (const auto& frame : log.frames) log.state.bytes += frame->size();
}

// False when the log does not go on with what was there.
bool Apply(const StoredLog& stored, KeptLog& log) {
  const LogState before = log.state;
  if (stored.forgotten() < before.forgotten || stored.stored() < before.stored) return false;
  const auto gone = std::min<uint64_t>(stored.forgotten() - before.forgotten, log.frames.size());
  log.frames.erase(log.frames.begin(), log.frames.begin() + static_cast<std::ptrdiff_t>(gone));
  for (const std::string& frame : stored.frames()) {
    log.frames.push_back(std::make_shared<const std::string>(frame));
  }
  log.state = {
      .stored = stored.stored(), .forgotten = stored.forgotten(), .accepted = stored.accepted()};
  CountBytes(log);
  return IsWhole(log);
}

}  // namespace

absl::Status StoredChannels::AddRow(const ChannelKey& key, int64_t batch, KeptChannel channel) {
  if (!IsAnId(key.id)) return Damaged(key, "is none");
  RETURN_IF_ERROR(CheckRecord(key, channel.record.version,
                              static_cast<uint32_t>(channel.record.life),
                              static_cast<uint32_t>(channel.record.ended_by)));
  for (KeptLog& log : channel.logs) {
    if (!IsWhole(log)) return Damaged(key, "lacks some of its frames");
    CountBytes(log);
  }
  rows_.insert_or_assign(key, Row{.batch = batch, .channel = std::move(channel)});
  return absl::OkStatus();
}

void StoredChannels::AddRest(const RestingSide& side) {
  rests_.insert_or_assign(NameOf(side), side);
}

absl::Status StoredChannels::Apply(int64_t number, const store::StoredBatch& batch) {
  for (const StoredChange& change : batch.channels()) RETURN_IF_ERROR(Apply(number, change));
  for (const StoredRest& rest : batch.ended_rests()) rests_.erase({rest.app_id(), rest.side()});
  for (const StoredRest& rest : batch.rests()) AddRest(RestingSideOf(rest));
  return absl::OkStatus();
}

// A channel that is not there was forgotten by a later batch, whose row went before this one's: the
// batches from this one on are all here.
absl::Status StoredChannels::Apply(int64_t number, const StoredChange& change) {
  const ChannelKey key{change.app_id(), change.id()};
  if (!IsAnId(key.id)) return Damaged(key, "is none");
  if (change.fresh() && !change.has_record()) return Damaged(key, "has no record");
  const auto found = rows_.find(key);
  if (found != rows_.end() && found->second.batch >= number) return absl::OkStatus();
  if (change.erased()) {
    rows_.erase(key);
    return absl::OkStatus();
  }
  if (found == rows_.end() && !change.fresh()) return absl::OkStatus();
  Row& row = rows_[key];
  if (change.fresh()) row = {.batch = number};
  if (change.has_record()) {
    RETURN_IF_ERROR(CheckRecord(key, change.record().version(), change.record().life(),
                                change.record().ended_by()));
    row.channel.record = RecordOf(change.record());
  }
  if (change.has_initiator() &&
      !relay::Apply(change.initiator(), row.channel.logs[Role::kInitiator])) {
    return Damaged(key, "has a batch that does not follow its log");
  }
  if (change.has_receiver() &&
      !relay::Apply(change.receiver(), row.channel.logs[Role::kReceiver])) {
    return Damaged(key, "has a batch that does not follow its log");
  }
  return absl::OkStatus();
}

absl::Status StoredChannels::MoveTo(MemoryChannels& channels) {
  for (auto& [key, row] : rows_) {
    if (!channels.Insert(key, std::move(row.channel))) {
      return Damaged(key, "has a side that is another channel's");
    }
  }
  for (const auto& [name, side] : rests_) {
    if (channels.Rest(side)) continue;
    return Damaged({side.app_id, side.id}, "has a side that rests and does not");
  }
  *this = {};
  return absl::OkStatus();
}

}  // namespace wormhole::relay
