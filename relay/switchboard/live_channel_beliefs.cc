// What is done on what a shared store happens to know of a channel, where a look at it is spared.
#include <utility>

#include "relay/switchboard/live_channel.h"

namespace wormhole::relay {

bool LiveChannel::MayRunOptimistically(const ChannelOp& op, LockedEffects& effects) {
  if (op.kind != ChannelOp::Kind::kClaim && op.kind != ChannelOp::Kind::kClaimOrWait) return false;
  if (!known_ && !loading_) {
    auto known = registry_->store().Cached(key_);
    if (!known) return false;
    known_ = true;
    needed_load_ = 0;
    Adopt(*std::move(known), effects);
  }
  return known_;
}

bool LiveChannel::AdoptCached(LockedEffects& effects) {
  if (!Settled() || loading_) return false;
  auto known = registry_->store().Cached(key_);
  const ChannelRecord& record = this->record();
  if (!known || record.version == 0 || known->record.version <= record.version) return false;
  if (!HasSameInitiator(record, known->record)) return false;
  KeepPresence(*known);
  Adopt(*std::move(known), effects);
  return true;
}

// A claim that joins the channel is a change.
void LiveChannel::RunOptimisticClaim(ChannelOp& op, LockedEffects& effects) {
  const ChannelRecord& record = this->record();
  if (record.version != 0 && (op.kind == ChannelOp::Kind::kClaim || Joinable())) {
    absl::StatusOr<ChannelRecord> next = relay::Claim(record, op.side, registry_->wall_now());
    if (next.ok() && *next != record) {
      return Commit(*std::move(next), {.attached = RoleSet(Role::kReceiver), .read_back = true},
                    effects);
    }
  }
  op.optimistic = false;
  op.needs_load = RequireReload();
}

bool LiveChannel::FinishClaim(ChannelOp& op, LockedEffects& effects) {
  seat(Role::kInitiator).pending_status = true;  // also when the claim's stream is over
  if (!op.optimistic || AdoptReadBack(effects)) {
    AttachMember(Role::kReceiver, op.stream, op.cursor, true, effects);
    return true;
  }
  PublishPresence(Role::kReceiver, false, effects);  // until it sits down
  op.optimistic = false;
  op.needs_load = RequireReload();
  ReportId();
  return false;
}

// What came with the look of a guess: what the client is told has to be as new as a load would be.
bool LiveChannel::AdoptReadBack(LockedEffects& effects) {
  auto seen = registry_->store().Cached(key_);
  if (!seen || seen->record != record()) return false;
  Adopt(*std::move(seen), effects);
  return true;
}

}  // namespace wormhole::relay
