#include "relay/switchboard/membership.h"

#include <string>
#include <utility>

#include "relay/channel/rules.h"
#include "relay/switchboard/refusals.h"
#include "relay/switchboard/responses.h"

namespace wormhole::relay {

using rendezvous::v1::Presence;

Membership::Membership(ChannelContext* context, const ChannelKey* key)
    : context_(context), key_(key), tenure_(std::make_shared<Tenure>(ChannelRecord())) {}

ChannelRef Membership::ref() const {
  return {*key_, record().member(Role::kInitiator).side, record().member(Role::kReceiver).side};
}

bool Membership::HasMember(const std::string& side) const {
  return exists() && (record().member(Role::kInitiator).side == side ||
                      record().member(Role::kReceiver).side == side);
}

std::optional<Role> Membership::RoleOf(const Stream& stream) const {
  for (Role role : kRoles) {
    if (member(role).here.stream == stream) return role;
  }
  return std::nullopt;
}

Presence Membership::PresenceOf(Role role) const {
  const Member& of_record = record().member(role);
  if (of_record.side.empty()) return rendezvous::v1::PRESENCE_ABSENT;
  if (of_record.left) return rendezvous::v1::PRESENCE_LEFT;
  return member(role).attached() || snapshot().remote[role] ? rendezvous::v1::PRESENCE_ATTACHED
                                                            : rendezvous::v1::PRESENCE_DETACHED;
}

Occupancy Membership::occupancy() const {
  Occupancy occupancy{.waiting = waiters_.size()};
  for (Role role : kRoles) {
    occupancy.here[role] = member(role).attached();
    occupancy.attached[role] = occupancy.here[role] || snapshot().remote[role];
  }
  return occupancy;
}

bool Membership::AcceptsWaiters() const {
  return relay::AcceptsWaiters(record(), context_->wall_now());
}

bool Membership::Attach(Role role, const ArrivingStream& arrival,
                        const std::shared_ptr<BoundChannel>& channel, LockedEffects& effects) {
  if (!arrival.stream->Bind(channel)) {
    if (arrival.published) PublishPresence(role, false, effects);
    return false;
  }
  LiveMember& member = this->member(role);
  if (member.attached()) effects.End(member.here.stream, Superseded());
  member.Attach(arrival.stream, arrival.cursor, snapshot().log(Other(role)).forgotten);
  this->member(Other(role)).here.pending_status = true;
  snapshot().remote[role] = false;
  if (!arrival.published) PublishPresence(role, true, effects);
  effects.Send(arrival.stream, OpenedResponse(key_->id, snapshot(), role, PresenceOf(Other(role)),
                                              context_->options()));
  if (PairsAnew()) Tell(ChannelEvent::Kind::kPaired, effects);
  member.here.pending_read = !arrival.reads;
  return true;
}

void Membership::Detach(Role role, LockedEffects& effects) {
  if (member(role).attached()) PublishPresence(role, false, effects);
  member(role).Detach();
  member(Other(role)).here.pending_status = true;
  PairsAnew();
}

void Membership::Fail(Role role, const Stream& stream, absl::Status status,
                      LockedEffects& effects) {
  effects.End(stream, std::move(status));
  if (member(role).here.stream == stream) Detach(role, effects);
  member(role).Drop(stream);
}

// The store is told of the stream that ends, too: it forgets that the side was attached here, and
// leaves alone what the other relay has said.
void Membership::SetRemote(Role role, bool remote, bool superseded, LockedEffects& effects) {
  const Presence before = PresenceOf(role);
  if (superseded && member(role).attached()) {
    effects.End(member(role).here.stream, Superseded());
    PublishPresence(role, false, effects);
    member(role).Detach();
  }
  snapshot().remote[role] = remote;
  if (PresenceOf(role) != before) member(Other(role)).here.pending_status = true;
}

bool Membership::PairsAnew() {
  int attached = 0;
  for (Role role : kRoles) attached += PresenceOf(role) == rendezvous::v1::PRESENCE_ATTACHED;
  if (attached == 0) tenure_->paired = false;
  return attached == 2 && !std::exchange(tenure_->paired, true);
}

void Membership::PublishPresence(Role role, bool attached, LockedEffects& effects) {
  if (context_->shared()) effects.Call(context_->store()).SetAttached(ref(), role, attached);
}

void Membership::Adopt(ChannelSnapshot loaded, LockedEffects& effects) {
  store_answered_ = true;
  const bool report = loaded.record.version != 0 || exists();
  SetRecord(std::move(loaded.record), effects);
  for (Role role : kRoles) {
    if (!record().ended()) UpdateLog(role, loaded.log(role));
    SetRemote(role, loaded.remote[role], loaded.superseded[role], effects);
  }
  PairsAnew();
  if (report) ReportId();
}

void Membership::AdoptWithoutPresence(ChannelSnapshot told, LockedEffects& effects) {
  told.remote = snapshot().remote;
  told.superseded = {};
  Adopt(std::move(told), effects);
}

bool Membership::AdoptCached(LockedEffects& effects) {
  auto cached = context_->store().Cached(*key_);
  if (!cached || !exists() || cached->record.version <= record().version) return false;
  if (!HasSameInitiator(record(), cached->record)) return false;
  AdoptWithoutPresence(*std::move(cached), effects);
  return true;
}

bool Membership::AdoptReadBack(LockedEffects& effects) {
  auto read = context_->store().Cached(*key_);
  if (!read || read->record != record()) return false;
  Adopt(*std::move(read), effects);
  return true;
}

void Membership::SetRecord(ChannelRecord next, LockedEffects& effects) {
  const ChannelRecord& before = record();
  // An initiator's side is in one channel alone.
  const bool same = before.version != 0 && next.version != 0 && HasSameInitiator(before, next);
  if (!same || next.ended()) {
    const absl::Status status = EndedError(same ? next : before);
    return BeginTenure(std::move(next), status, effects);
  }
  // The store was put back to an older copy, and the channel was made or claimed anew. What one who
  // is no member any more still says is not the next one's.
  if (!Continues(before, next)) {
    return BeginTenure(std::move(next), StoreAway(context_->RetryDelay()), effects);
  }
  for (Role role : kRoles) {
    if (before.member(Other(role)) != next.member(Other(role))) {
      member(role).here.pending_status = true;
    }
    member(role).revalidate = true;
  }
  snapshot().record = std::move(next);
}

void Membership::BeginTenure(ChannelRecord record, const absl::Status& status,
                             LockedEffects& effects) {
  for (Role role : kRoles) {
    if (!member(role).attached()) continue;
    effects.End(member(role).here.stream, status);
    PublishPresence(role, false, effects);
  }
  tenure_ = std::make_shared<Tenure>(std::move(record));
}

// Any answer may be the first to show that the reader, at another relay perhaps, has accepted more,
// which the author waits for.
void Membership::UpdateLog(Role author, const LogState& log) {
  LogState& known = snapshot().log(author);
  if (log.stored < known.stored || log.forgotten < known.forgotten ||
      log.accepted < known.accepted) {
    return;
  }
  if (log.accepted > known.accepted) member(author).here.pending_status = true;
  known = log;
}

void Membership::AddWaiter(Waiter waiter, const std::shared_ptr<BoundChannel>& channel,
                           LockedEffects& effects) {
  const Stream stream = waiter.stream;
  if (!stream->Bind(channel)) return;
  DismissWaiter(waiter.side, Superseded(), effects);
  if (waiters_.full()) return effects.End(stream, TooManyWaiters(context_->RetryDelay()));
  waiters_.Add(std::move(waiter));
  effects.Send(stream, WaitingResponse(key_->id, context_->options()));
  effects.ReadMore(stream);
}

void Membership::DismissWaiter(const std::string& side, const absl::Status& status,
                               LockedEffects& effects) {
  for (const Stream& stream : waiters_.RemoveSide(side)) effects.End(stream, status);
}

std::string Membership::ChooseWaiter(const std::string& initiator, LockedEffects& effects) {
  DismissWaiter(initiator, SideInUse(), effects);
  return waiters_.Choose();
}

void Membership::ForgetChosenWaiter(LockedEffects& effects) {
  for (const Stream& stream : waiters_.ForgetChosen()) effects.End(stream, absl::OkStatus());
}

void Membership::CountThirdParties(uint32_t count) {
  if (count == 0) return;
  for (Role role : kRoles) member(role).AddThirdParties(count);
}

void Membership::ReportThirdParties(uint32_t count, LockedEffects& effects) {
  if (count == 0) return;
  CountThirdParties(count);
  if (context_->shared()) effects.Call(context_->store()).TellThirdParties(ref(), count);
}

void Membership::Tell(ChannelEvent::Kind kind, LockedEffects& effects) const {
  effects.Tell(context_->observer(), {.kind = kind, .key = *key_, .mood = record().ended_by});
}

void Membership::ReportId() const {
  context_->SetId(*key_, exists() ? IdStateOf(record()) : IdState::kFree);
}

void Membership::ReleaseId(bool drawn, bool spent) const {
  if (store_answered_) return ReportId();
  if (drawn) context_->SetId(*key_, spent ? IdState::kSpent : IdState::kFree);
}

}  // namespace wormhole::relay
