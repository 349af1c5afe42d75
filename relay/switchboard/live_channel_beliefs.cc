// What is done on what a shared store happens to know of a channel, where a look at it is spared.
#include <utility>

#include "relay/switchboard/live_channel.h"

namespace wormhole::relay {

bool LiveChannel::MayGuess(const ChannelOp& op, Turn& turn) {
  if (op.kind != ChannelOp::Kind::kClaim && op.kind != ChannelOp::Kind::kClaimOrWait) return false;
  if (!known_ && !loading_) {
    auto known = registry_->store().Known(key_);
    if (!known) return false;
    known_ = true;
    needed_load_ = 0;
    TakeOver(*std::move(known), turn);
  }
  return known_;
}

bool LiveChannel::TakeKnown(Turn& turn) {
  if (!Settled() || loading_) return false;
  auto known = registry_->store().Known(key_);
  const ChannelRecord& record = this->record();
  if (!known || record.version == 0 || known->record.version <= record.version) return false;
  if (!HasSameInitiator(record, known->record)) return false;
  KeepPresence(*known);
  TakeOver(*std::move(known), turn);
  return true;
}

// A claim that joins the channel is a change.
void LiveChannel::RunGuess(ChannelOp& op, Turn& turn) {
  const ChannelRecord& record = this->record();
  if (record.version != 0 && (op.kind == ChannelOp::Kind::kClaim || Joinable())) {
    absl::StatusOr<ChannelRecord> next = relay::Claim(record, op.side, registry_->wall_now());
    if (next.ok() && *next != record) {
      return Commit(*std::move(next), {.attached = BitOf(Role::kReceiver), .look = true}, turn);
    }
  }
  op.guesses = false;
  op.needs_load = Doubt();
}

bool LiveChannel::FinishClaim(ChannelOp& op, Turn& turn) {
  seat(Role::kInitiator).owes_status = true;  // also when the claim's stream is over
  if (!op.guesses || TakeSeen(turn)) {
    SitDown(Role::kReceiver, op.stream, op.cursor, true, turn);
    return true;
  }
  Announce(Role::kReceiver, false, turn);  // until it sits down
  op.guesses = false;
  op.needs_load = Doubt();
  ReportId();
  return false;
}

// What came with the look of a guess: what the client is told has to be as new as a load would be.
bool LiveChannel::TakeSeen(Turn& turn) {
  auto seen = registry_->store().Known(key_);
  if (!seen || seen->record != record()) return false;
  TakeOver(*std::move(seen), turn);
  return true;
}

}  // namespace wormhole::relay
