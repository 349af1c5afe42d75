#include "relay/store/sqlite/batch_changes.h"

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace wormhole::relay {
namespace {

using store::StoredChange;
using store::StoredLog;
using store::StoredRecord;

void Write(const ChannelRecord& record, StoredRecord& to) {
  to.set_version(record.version);
  to.set_named(record.named);
  to.set_life(static_cast<uint32_t>(record.life));
  to.set_ended_by(static_cast<uint32_t>(record.ended_by));
  to.set_created_at(absl::ToUnixMicros(record.created_at));
  to.set_due_at(absl::ToUnixMicros(record.due_at));
  to.set_initiator(record.member(Role::kInitiator).side);
  to.set_initiator_left(record.member(Role::kInitiator).left);
  to.set_receiver(record.member(Role::kReceiver).side);
  to.set_receiver_left(record.member(Role::kReceiver).left);
}

void Write(const KeptLog& before, const KeptLog& now, StoredLog& to) {
  to.set_stored(now.state.stored);
  to.set_forgotten(now.state.forgotten);
  to.set_accepted(now.state.accepted);
  const uint64_t known = std::max(before.state.stored, now.state.forgotten);
  for (uint64_t number = known + 1; number <= now.state.stored; ++number) {
    to.add_frames(*now.frames[number - now.state.forgotten - 1]);
  }
}

// `before` null: the channel is new, or its logs are.
void Write(const KeptChannel* before, const KeptChannel& now, StoredChange& to) {
  static const KeptChannel nothing;
  to.set_fresh(before == nullptr);
  if (before == nullptr) before = &nothing;
  if (to.fresh() || before->record != now.record) Write(now.record, *to.mutable_record());
  for (const Role author : kRoles) {
    if (before->logs[author].state == now.logs[author].state) continue;
    StoredLog& log = author == Role::kInitiator ? *to.mutable_initiator() : *to.mutable_receiver();
    Write(before->logs[author], now.logs[author], log);
  }
}

}  // namespace

void BatchChanges::OnChange(const ChannelKey& key, const KeptChannel* before, bool anew) {
  const auto [entry, is_new] = before_.try_emplace(key);
  if (is_new && before != nullptr) entry->second.channel = *before;
  if (anew) entry->second.anew = true;
}

void BatchChanges::OnRest(const RestingSide& side) { rests_.insert_or_assign(NameOf(side), side); }

void BatchChanges::OnForget(const std::vector<RestingSide>& sides) {
  for (const RestingSide& side : sides) {
    if (rests_.erase(NameOf(side)) == 0) ended_rests_.emplace(NameOf(side), side);
  }
}

store::StoredBatch BatchChanges::Describe(const MemoryChannels& now) const {
  store::StoredBatch batch;
  for (const auto& [key, before] : before_) {
    const KeptChannel* const kept = now.Get(key);
    if (kept == nullptr && !before.channel) continue;
    StoredChange& change = *batch.add_channels();
    change.set_app_id(key.app_id);
    change.set_id(key.id);
    if (kept == nullptr) {
      change.set_erased(true);
    } else {
      Write(before.anew ? nullptr : &*before.channel, *kept, change);
    }
  }
  for (const auto& [name, side] : ended_rests_) Write(side, *batch.add_ended_rests());
  for (const auto& [name, side] : rests_) Write(side, *batch.add_rests());
  return batch;
}

// A side may have gone from one channel to another, or to its rest: all that is new goes before
// anything comes back.
void BatchChanges::TakeBack(MemoryChannels& channels) const {
  for (const auto& [name, side] : rests_) channels.EndRest(side);
  for (const auto& [key, before] : before_) channels.Remove(key);
  for (const auto& [key, before] : before_) {
    if (before.channel) channels.Insert(key, *before.channel);
  }
  for (const auto& [name, side] : ended_rests_) channels.Rest(side);
}

}  // namespace wormhole::relay
