#include "relay/switchboard/live_channel.h"

#include <algorithm>
#include <utility>

#include "relay/switchboard/refusals.h"

namespace wormhole::relay {

LiveChannel::LiveChannel(std::shared_ptr<Registry> registry, ChannelKey key)
    : registry_(std::move(registry)),
      key_(std::move(key)),
      tenure_(std::make_shared<Tenure>(ChannelRecord())) {}

bool LiveChannel::Submit(ChannelOp& op) {
  LockedEffects effects(mutex_);
  if (retired_) return false;
  if (op.create.believed_free) {
    // A load can be spared: if the belief is wrong, the store refuses the Put.
    if (!known_ && !loading_) needed_load_ = 0;
    known_ = known_ || !loading_;
  } else if (registry_->shared()) {
    // Who comes has perhaps been at another relay, and would see that what is known here is older
    // than what it was told there. What is due has perhaps been seen to.
    op.optimistic = MayRunOptimistically(op, effects);
    if (!op.optimistic) op.needs_load = RequireReload();
  }
  ops_.push_back(std::move(op));
  Advance(effects);
  return true;
}

void LiveChannel::Post(const Stream& stream, uint64_t number, std::string frame) {
  LockedEffects effects(mutex_);
  const std::optional<Role> role = RoleOf(stream);
  if (!role) return RefuseWaiter(stream, "post", effects);
  PostQueue& posts = work(*role).posts;
  absl::Status verdict = Judge(*role, posts.size(), number, frame.size());
  if (!verdict.ok()) {
    Fail(*role, stream, std::move(verdict), effects);
    return Advance(effects);
  }
  const bool repeat = number <= std::max(snapshot().log(*role).stored, posts.last(posts.size()));
  // A repeat may have other bytes, which the store finds out.
  if (!repeat) {
    ForwardNow(*role, number, frame, effects);
    if (auto* observer = registry_->observer()) observer->OnFrame(key_.app_id, frame.size());
  }
  posts.Add({.number = number, .frame = std::move(frame), .stream = stream, .repeat = repeat});
  // A repeat is answered before more is read.
  if (!repeat) seat(*role).pending_read = true;
  Advance(effects);
}

void LiveChannel::Ack(const Stream& stream, uint64_t number) {
  LockedEffects effects(mutex_);
  const std::optional<Role> role = RoleOf(stream);
  if (!role) return RefuseWaiter(stream, "ack", effects);
  RaiseCursor(*role, number, effects);
  effects.ReadMore(stream);
  Advance(effects);
}

void LiveChannel::Close(const Stream& stream, Mood mood) {
  LockedEffects effects(mutex_);
  const std::optional<Role> role = RoleOf(stream);
  if (mood == rendezvous::v1::MOOD_UNSPECIFIED || !rendezvous::v1::Mood_IsValid(mood)) {
    absl::Status status = Malformed("close.mood", "the mood is none that this relay knows");
    if (role) {
      Fail(*role, stream, std::move(status), effects);
    } else if (FindWaiter(stream) != waiters_.end()) {
      waiters_.erase(FindWaiter(stream));
      effects.End(stream, std::move(status));
    }
  } else if (role) {
    if (!work(*role).close) work(*role).close = mood;
    work(*role).close_stream = stream;
  } else if (const auto waiter = FindWaiter(stream); waiter != waiters_.end()) {
    if (committing_ && ops_.front().chosen == waiter->side) {
      waiter->close = mood;
    } else {
      waiters_.erase(waiter);
      effects.End(stream, absl::OkStatus());
    }
  }
  Advance(effects);
}

void LiveChannel::Drained(const Stream& stream) {
  LockedEffects effects(mutex_);
  if (RoleOf(stream)) Advance(effects);
}

void LiveChannel::Detach(const Stream& stream) {
  LockedEffects effects(mutex_);
  if (const std::optional<Role> role = RoleOf(stream)) DetachMember(*role, effects);
  // A waiter that has asked to close still has to, should it have become a member.
  const auto waiter = FindWaiter(stream);
  if (waiter != waiters_.end() && !waiter->close) waiters_.erase(waiter);
  Advance(effects);
}

void LiveChannel::Shutdown() {
  LockedEffects effects(mutex_);
  if (!retired_) FailStore(effects);
}

ChannelRef LiveChannel::ThisChannel() const {
  return {key_, record().member(Role::kInitiator).side};
}

std::optional<Role> LiveChannel::RoleOf(const Stream& stream) {
  for (Role role : kRoles) {
    if (seat(role).stream == stream) return role;
  }
  return std::nullopt;
}

void LiveChannel::RefuseWaiter(const Stream& stream, std::string_view field,
                               LockedEffects& effects) {
  const auto waiter = FindWaiter(stream);
  if (waiter == waiters_.end()) return;
  waiters_.erase(waiter);
  effects.End(stream, Malformed(field, "a side that waits may only send Heartbeat and Close"));
  Advance(effects);
}

void LiveChannel::Advance(LockedEffects& effects) {
  if (retired_) return;
  do {
    while (CanRunFirstOp()) RunFirstOp(effects);
    for (Role role : kRoles) AppendHeld(role, effects);
  } while (QueueCloses());
  for (Role role : kRoles) Deliver(role, effects);
  if (Idle()) {
    Retire();
  } else {
    LoadIfNeeded(effects);
  }
}

bool LiveChannel::CanRunFirstOp() const {
  return Settled() && !ops_.empty() && ops_.front().needs_load <= loads_done_;
}

// Returns whether there is something new to run at once.
bool LiveChannel::QueueCloses() {
  bool queued = false;
  for (Role role : kRoles) {
    Work& asked = work(role);
    if (!asked.close || !asked.posts.empty() || !asked.close_stream) continue;
    // Were the acknowledgement lost after the side has left, the peer could never post what the
    // side has taken already. A shared store is given it once more, with the record.
    if (asked.accepting && !registry_->shared()) continue;
    ops_.push_back({.kind = ChannelOp::Kind::kClose,
                    .stream = std::move(asked.close_stream),
                    .side = record().member(role).side,
                    .tenure = tenure_,
                    .role = role,
                    .mood = *asked.close});
    asked.close_stream = nullptr;
    queued = true;
  }
  return queued && CanRunFirstOp();
}

bool LiveChannel::Idle() const {
  if (!ops_.empty() || committing_ || loading_ || !waiters_.empty()) return false;
  const bool seated = std::any_of(tenure_->seats.begin(), tenure_->seats.end(),
                                  [](const Seat& s) { return s.stream != nullptr; });
  const bool busy = std::any_of(tenure_->works.begin(), tenure_->works.end(), [](const Work& w) {
    return !w.posts.empty() || w.accepting || w.close_stream;
  });
  return !seated && !busy;
}

uint64_t LiveChannel::RequireReload() {
  needed_load_ = loads_begun_ + 1;
  return needed_load_;
}

void LiveChannel::LoadIfNeeded(LockedEffects& effects) {
  if (loading_ || committing_ || needed_load_ <= loads_begun_) return;
  // Posts keep their order: those that the store did not take go again when all are back.
  if (tenure_->posts_need_load > loads_done_ &&
      std::any_of(tenure_->works.begin(), tenure_->works.end(),
                  [](const Work& w) { return w.posts.any_in_flight(); })) {
    return;
  }
  loading_ = true;
  ++loads_begun_;
  CallStore(effects).Load(
      key_, [self = shared_from_this()](absl::StatusOr<std::optional<ChannelSnapshot>> loaded) {
        self->OnLoaded(std::move(loaded));
      });
}

void LiveChannel::OnLoaded(absl::StatusOr<std::optional<ChannelSnapshot>> loaded) {
  LockedEffects effects(mutex_);
  loading_ = false;
  if (retired_) return;
  if (!loaded.ok()) return FailStore(effects);
  if (loads_begun_ <= stale_loads_) {
    RequireReload();
  } else {
    known_ = true;
    loads_done_ = loads_begun_;
    Adopt(loaded->value_or(ChannelSnapshot()), effects);
    QueueWaiters();
  }
  Advance(effects);
}

void LiveChannel::Adopt(ChannelSnapshot loaded, LockedEffects& effects) {
  store_answered_ = true;
  const bool report = loaded.record.version != 0 || record().version != 0;
  SetRecord(std::move(loaded.record), effects);
  for (Role role : kRoles) {
    if (!record().ended()) UpdateLog(role, loaded.log(role));
    SetRemote(role, loaded.remote[role], loaded.superseded[role], effects);
  }
  PairsAnew();
  if (report) ReportId();
}

void LiveChannel::FailStore(LockedEffects& effects) {
  // A side that a record was to bring along may be there, or not, or come to be there.
  if (committing_ && registry_->shared()) {
    const ChannelOp& op = ops_.front();
    const bool creates = op.kind == ChannelOp::Kind::kCreate;
    const ChannelRef channel = creates ? ChannelRef(key_, op.side) : ThisChannel();
    for (Role role : kRoles) {
      if (!seat(role).stream) CallStore(effects).SetAttached(channel, role, false);
    }
  }
  BeginTenure(record(), StoreAway(registry_->RetryDelay()), effects);
  for (const Waiter& waiter : waiters_)
    effects.End(waiter.stream, StoreAway(registry_->RetryDelay()));
  waiters_.clear();
  for (const ChannelOp& op : ops_) {
    if (op.stream) effects.End(op.stream, StoreAway(registry_->RetryDelay()));
    if (op.kind == ChannelOp::Kind::kCreate) ReleaseId(op);
  }
  ops_.clear();
  Retire();
}

void LiveChannel::Retire() {
  retired_ = true;
  registry_->Remove(key_, this);
}

}  // namespace wormhole::relay
