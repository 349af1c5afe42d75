// Who sits at a live channel.
#include <utility>

#include "relay/switchboard/live_channel.h"
#include "relay/switchboard/refusals.h"
#include "relay/switchboard/responses.h"

namespace wormhole::relay {

using rendezvous::v1::Presence;

void LiveChannel::SitDown(Role role, const Stream& stream, uint64_t cursor, bool announced,
                          Turn& turn) {
  const bool was_waiting = FindWaiter(stream) != waiters_.end();
  if (!stream->Bind(shared_from_this())) {
    if (announced) Announce(role, false, turn);
    return;
  }
  if (seat(role).stream) turn.End(seat(role).stream, Superseded());
  const LogState& peer_log = snapshot().log(Other(role));
  const uint32_t missed = std::exchange(work(role).missed_third_parties, 0);
  seat(role) = {.stream = stream,
                .sent = cursor,
                .deaf = (cursor < peer_log.forgotten),
                .third_parties = missed,
                .owes_status = (missed > 0)};
  seat(Other(role)).owes_status = true;
  snapshot().elsewhere[static_cast<size_t>(role)] = false;
  if (!announced) Announce(role, true, turn);
  turn.Send(stream, OpenedResponse(key_.id, snapshot(), role, PresenceOf(Other(role)),
                                   registry_->options()));
  if (PairsAnew()) Tell(ChannelEvent::Kind::kPaired, turn);
  seat(role).owes_read = !was_waiting;
  RaiseCursor(role, cursor, turn);
}

void LiveChannel::Vacate(Role role, Turn& turn) {
  if (seat(role).stream) Announce(role, false, turn);
  seat(role) = {};
  seat(Other(role)).owes_status = true;
  PairsAnew();
}

bool LiveChannel::PairsAnew() {
  const int attached = (PresenceOf(Role::kInitiator) == rendezvous::v1::PRESENCE_ATTACHED ? 1 : 0) +
                       (PresenceOf(Role::kReceiver) == rendezvous::v1::PRESENCE_ATTACHED ? 1 : 0);
  if (attached == 0) tenure_->paired = false;
  return attached == 2 && !std::exchange(tenure_->paired, true);
}

void LiveChannel::Fail(Role role, const Stream& stream, absl::Status status, Turn& turn) {
  turn.End(stream, std::move(status));
  if (seat(role).stream == stream) Vacate(role, turn);
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
  const size_t place = static_cast<size_t>(role);
  return tenure_->seats[place].stream || snapshot().elsewhere[place]
             ? rendezvous::v1::PRESENCE_ATTACHED
             : rendezvous::v1::PRESENCE_DETACHED;
}

LiveChannel::Seating LiveChannel::seating() {
  sync::MutexLock lock(mutex_);
  Seating seating{.waiting = waiters_.size()};
  for (Role role : {Role::kInitiator, Role::kReceiver}) {
    const size_t place = static_cast<size_t>(role);
    seating.here[place] = tenure_->seats[place].stream != nullptr;
    seating.attached[place] = seating.here[place] || snapshot().elsewhere[place];
  }
  return seating;
}

void LiveChannel::SetRecord(ChannelRecord next, Turn& turn) {
  const ChannelRecord& before = record();
  const bool same = before.version != 0 && next.version != 0 &&
                    before.created_at == next.created_at && HasSameInitiator(before, next);
  if (!same || next.ended()) {
    const absl::Status status = EndedError(same ? next : before);
    return BeginTenure(std::move(next), status, turn);
  }
  for (Role role : {Role::kInitiator, Role::kReceiver}) {
    if (before.member(Other(role)) != next.member(Other(role))) seat(role).owes_status = true;
  }
  tenure_->rejudge.set();
  snapshot().record = std::move(next);
}

void LiveChannel::BeginTenure(ChannelRecord record, const absl::Status& status, Turn& turn) {
  for (Role role : {Role::kInitiator, Role::kReceiver}) {
    if (!seat(role).stream) continue;
    turn.End(seat(role).stream, status);
    Announce(role, false, turn);
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
  if (informed_) return ReportId();
  if (op.create.named) return;  // was not drawn
  registry_->SetId(key_, op.create.may_replace ? IdState::kResting : IdState::kFree);
}

}  // namespace wormhole::relay
