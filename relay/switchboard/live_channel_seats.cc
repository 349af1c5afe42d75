// Who sits at a live channel.
#include <utility>

#include "relay/switchboard/live_channel.h"
#include "relay/switchboard/refusals.h"
#include "relay/switchboard/responses.h"

namespace wormhole::relay {

using rendezvous::v1::Presence;

void LiveChannel::AttachMember(Role role, const Stream& stream, uint64_t cursor, bool announced,
                               LockedEffects& effects) {
  const bool was_waiting = FindWaiter(stream) != waiters_.end();
  if (!stream->Bind(shared_from_this())) {
    if (announced) PublishPresence(role, false, effects);
    return;
  }
  if (seat(role).stream) effects.End(seat(role).stream, Superseded());
  const LogState& peer_log = snapshot().log(Other(role));
  const uint32_t missed = std::exchange(work(role).missed_third_parties, 0);
  seat(role) = {.stream = stream,
                .sent = cursor,
                .behind_trim = (cursor < peer_log.forgotten),
                .third_parties = missed,
                .pending_status = (missed > 0)};
  seat(Other(role)).pending_status = true;
  snapshot().remote[role] = false;
  if (!announced) PublishPresence(role, true, effects);
  effects.Send(stream, OpenedResponse(key_.id, snapshot(), role, PresenceOf(Other(role)),
                                      registry_->options()));
  if (PairsAnew()) Tell(ChannelEvent::Kind::kPaired, effects);
  seat(role).pending_read = !was_waiting;
  RaiseCursor(role, cursor, effects);
}

void LiveChannel::DetachMember(Role role, LockedEffects& effects) {
  if (seat(role).stream) PublishPresence(role, false, effects);
  seat(role) = {};
  seat(Other(role)).pending_status = true;
  PairsAnew();
}

bool LiveChannel::PairsAnew() {
  const int attached = (PresenceOf(Role::kInitiator) == rendezvous::v1::PRESENCE_ATTACHED ? 1 : 0) +
                       (PresenceOf(Role::kReceiver) == rendezvous::v1::PRESENCE_ATTACHED ? 1 : 0);
  if (attached == 0) tenure_->paired = false;
  return attached == 2 && !std::exchange(tenure_->paired, true);
}

void LiveChannel::Fail(Role role, const Stream& stream, absl::Status status,
                       LockedEffects& effects) {
  effects.End(stream, std::move(status));
  if (seat(role).stream == stream) DetachMember(role, effects);
  Work& asked = work(role);
  asked.posts.DropHeld(stream.get());
  if (asked.close_stream == stream) {
    asked.close_stream = nullptr;
    asked.close.reset();
  }
}

Presence LiveChannel::PresenceOf(Role role) const {
  const Member& member = record().member(role);
  if (member.side.empty()) return rendezvous::v1::PRESENCE_ABSENT;
  if (member.left) return rendezvous::v1::PRESENCE_LEFT;
  return tenure_->seats[role].stream || snapshot().remote[role] ? rendezvous::v1::PRESENCE_ATTACHED
                                                                : rendezvous::v1::PRESENCE_DETACHED;
}

LiveChannel::Occupancy LiveChannel::occupancy() {
  sync::MutexLock lock(mutex_);
  Occupancy occupancy{.waiting = waiters_.size()};
  for (Role role : kRoles) {
    occupancy.here[role] = tenure_->seats[role].stream != nullptr;
    occupancy.attached[role] = occupancy.here[role] || snapshot().remote[role];
  }
  return occupancy;
}

void LiveChannel::SetRecord(ChannelRecord next, LockedEffects& effects) {
  const ChannelRecord& before = record();
  const bool same = before.version != 0 && next.version != 0 &&
                    before.created_at == next.created_at && HasSameInitiator(before, next);
  if (!same || next.ended()) {
    const absl::Status status = EndedError(same ? next : before);
    return BeginTenure(std::move(next), status, effects);
  }
  for (Role role : kRoles) {
    if (before.member(Other(role)) != next.member(Other(role))) seat(role).pending_status = true;
  }
  tenure_->revalidate = RoleSet::Both();
  snapshot().record = std::move(next);
}

void LiveChannel::BeginTenure(ChannelRecord record, const absl::Status& status,
                              LockedEffects& effects) {
  for (Role role : kRoles) {
    if (!seat(role).stream) continue;
    effects.End(seat(role).stream, status);
    PublishPresence(role, false, effects);
  }
  tenure_ = std::make_shared<Tenure>(std::move(record));
}

void LiveChannel::ReportId() {
  const ChannelRecord& record = this->record();
  registry_->SetId(key_, record.version == 0 ? IdState::kFree
                         : record.ended()    ? IdState::kResting
                                             : IdState::kTaken);
}

void LiveChannel::ReleaseId(const ChannelOp& op) {
  if (store_answered_) return ReportId();
  if (op.create.named) return;  // was not drawn
  registry_->SetId(key_, op.create.may_replace ? IdState::kResting : IdState::kFree);
}

}  // namespace wormhole::relay
