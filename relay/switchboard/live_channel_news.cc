// What other relays over the same store do, and what they are told.
#include "relay/switchboard/live_channel.h"
#include "relay/switchboard/refusals.h"

namespace wormhole::relay {

// A newer record of the channel that is known here can be taken over as it is.
void LiveChannel::OnChanged(const ChannelSnapshot* now) {
  Turn turn(mutex_);
  if (retired_) return;
  const ChannelRecord& record = this->record();
  if (now != nullptr && Settled() && !loading_ && record.version != 0 &&
      HasSameInitiator(record, now->record)) {
    if (now->record.version <= record.version) return;
    ChannelSnapshot heard = *now;
    KeepPresence(heard);
    TakeOver(std::move(heard), turn);
  } else {
    Doubt();
  }
  Advance(turn);
}

void LiveChannel::OnLog(const ChannelRef& channel, Role author, const LogState& log,
                        const StoredFrame* frame) {
  Turn turn(mutex_);
  if (retired_) return;
  // It may be the log of an earlier channel with this id, or of one that is not known here yet.
  const ChannelRecord& record = this->record();
  const bool known = record.version != 0 && !record.ended() && channel.Names(record);
  if (!known || channel.initiator.empty()) {
    Doubt();
    return Advance(turn);
  }
  UpdateLog(author, log);
  if (frame != nullptr && frame->number == snapshot().log(author).stored) {
    HandOver(author, frame->number, frame->frame, turn);
  }
  Advance(turn);
}

void LiveChannel::OnPresence(const ChannelRef& channel, Role role, bool elsewhere) {
  Turn turn(mutex_);
  if (retired_) return;
  // The channel may be another one by now, and the stream that is here the newer one: a load tells.
  const ChannelRecord& record = this->record();
  const bool named = record.version != 0 && !channel.initiator.empty() && channel.Names(record);
  if (named && Settled() && !loading_ && !(elsewhere && seat(role).stream)) {
    SetElsewhere(role, elsewhere, /*superseded=*/elsewhere, turn);
    PairsAnew();
  } else {
    Doubt();
  }
  Advance(turn);
}

// A count of an earlier channel with the id is none of this one's members'.
void LiveChannel::OnThirdParties(const ChannelRef& channel, uint32_t count) {
  Turn turn(mutex_);
  if (retired_ || record().version == 0 || !channel.Names(record())) return;
  CountThirdParties(count);
  Advance(turn);
}

// The store is told of the stream that ends, too: it forgets that the side was attached here, and
// leaves the other relay's word alone.
void LiveChannel::SetElsewhere(Role role, bool elsewhere, bool superseded, Turn& turn) {
  const rendezvous::v1::Presence before = PresenceOf(role);
  if (superseded && seat(role).stream) {
    turn.End(seat(role).stream, Superseded());
    Announce(role, false, turn);
    seat(role) = {};
  }
  snapshot().elsewhere[static_cast<size_t>(role)] = elsewhere;
  if (PresenceOf(role) != before) seat(Other(role)).owes_status = true;
}

void LiveChannel::KeepPresence(ChannelSnapshot& heard) {
  heard.elsewhere = snapshot().elsewhere;
  heard.superseded = {};
}

void LiveChannel::Announce(Role role, bool attached, Turn& turn) {
  if (registry_->shared()) CallStore(turn).SetAttached(ThisChannel(), role, attached);
}

void LiveChannel::CountThirdParties(uint32_t count) {
  if (count == 0) return;
  for (Role role : {Role::kInitiator, Role::kReceiver}) {
    Seat& member = seat(role);
    (member.stream ? member.third_parties : work(role).missed_third_parties) += count;
    member.owes_status = true;
  }
}

void LiveChannel::ReportThirdParties(uint32_t count, Turn& turn) {
  if (count == 0) return;
  CountThirdParties(count);
  if (registry_->shared()) CallStore(turn).TellThirdParties(ThisChannel(), count);
}

}  // namespace wormhole::relay
