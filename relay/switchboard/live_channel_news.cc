// What other relays over the same store do, and what they are told.
#include "relay/switchboard/live_channel.h"
#include "relay/switchboard/refusals.h"

namespace wormhole::relay {

// A newer record of the channel that is known here can be taken over as it is.
void LiveChannel::OnChanged(const ChannelSnapshot* now) {
  LockedEffects effects(mutex_);
  if (retired_) return;
  const ChannelRecord& record = this->record();
  if (now != nullptr && Settled() && !loading_ && record.version != 0 &&
      HasSameInitiator(record, now->record)) {
    if (now->record.version <= record.version) return;
    ChannelSnapshot heard = *now;
    KeepPresence(heard);
    Adopt(std::move(heard), effects);
  } else {
    RequireReload();
  }
  Advance(effects);
}

void LiveChannel::OnLog(const ChannelRef& channel, Role author, const LogState& log,
                        const StoredFrame* frame) {
  LockedEffects effects(mutex_);
  if (retired_) return;
  // It may be the log of an earlier channel with this id, or of one that is not known here yet.
  const ChannelRecord& record = this->record();
  const bool known = record.version != 0 && !record.ended() && channel.Names(record);
  if (!known || channel.initiator.empty()) {
    RequireReload();
    return Advance(effects);
  }
  UpdateLog(author, log);
  if (frame != nullptr && frame->number == snapshot().log(author).stored) {
    ForwardNow(author, frame->number, frame->frame, effects);
  }
  Advance(effects);
}

void LiveChannel::OnPresence(const ChannelRef& channel, Role role, bool remote) {
  LockedEffects effects(mutex_);
  if (retired_) return;
  // The channel may be another one by now, and the stream that is here the newer one: a load tells.
  const ChannelRecord& record = this->record();
  const bool named = record.version != 0 && !channel.initiator.empty() && channel.Names(record);
  if (named && Settled() && !loading_ && !(remote && seat(role).stream)) {
    SetRemote(role, remote, /*superseded=*/remote, effects);
    PairsAnew();
  } else {
    RequireReload();
  }
  Advance(effects);
}

// A count of an earlier channel with the id is none of this one's members'.
void LiveChannel::OnThirdParties(const ChannelRef& channel, uint32_t count) {
  LockedEffects effects(mutex_);
  if (retired_ || record().version == 0 || !channel.Names(record())) return;
  CountThirdParties(count);
  Advance(effects);
}

// The store is told of the stream that ends, too: it forgets that the side was attached here, and
// leaves the other relay's word alone.
void LiveChannel::SetRemote(Role role, bool remote, bool superseded, LockedEffects& effects) {
  const rendezvous::v1::Presence before = PresenceOf(role);
  if (superseded && seat(role).stream) {
    effects.End(seat(role).stream, Superseded());
    PublishPresence(role, false, effects);
    seat(role) = {};
  }
  snapshot().remote[role] = remote;
  if (PresenceOf(role) != before) seat(Other(role)).pending_status = true;
}

void LiveChannel::KeepPresence(ChannelSnapshot& heard) {
  heard.remote = snapshot().remote;
  heard.superseded = {};
}

void LiveChannel::PublishPresence(Role role, bool attached, LockedEffects& effects) {
  if (registry_->shared()) CallStore(effects).SetAttached(ThisChannel(), role, attached);
}

void LiveChannel::CountThirdParties(uint32_t count) {
  if (count == 0) return;
  for (Role role : kRoles) {
    Seat& member = seat(role);
    (member.stream ? member.third_parties : work(role).missed_third_parties) += count;
    member.pending_status = true;
  }
}

void LiveChannel::ReportThirdParties(uint32_t count, LockedEffects& effects) {
  if (count == 0) return;
  CountThirdParties(count);
  if (registry_->shared()) CallStore(effects).TellThirdParties(ThisChannel(), count);
}

}  // namespace wormhole::relay
