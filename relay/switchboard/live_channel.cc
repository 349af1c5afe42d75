#include "relay/switchboard/live_channel.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "relay/switchboard/refusals.h"

namespace wormhole::relay {

LiveChannel::LiveChannel(std::shared_ptr<ChannelContext> context, ChannelKey key,
                         const PostBudget& budget)
    : context_(std::move(context)),
      key_(std::move(key)),
      members_(context_.get(), &key_),
      delivery_(context_.get(), &key_, &members_, this, budget) {}

// --- Requests. ---

bool LiveChannel::Submit(ChannelOp& op) {
  LockedEffects effects(mutex_);
  if (retired_) return false;
  OpScope scope = ScopeOf(op, effects);
  op.Prepare(scope);
  ops_.push_back(std::move(op));
  Advance(effects);
  return true;
}

void LiveChannel::Post(const Stream& stream, uint64_t number, std::string frame) {
  LockedEffects effects(mutex_);
  const std::optional<Role> role = members_.RoleOf(stream);
  if (!role) return RefuseWaiter(stream, "post", effects);
  delivery_.Post(*role, stream, number, std::move(frame), effects);
  Advance(effects);
}

void LiveChannel::Ack(const Stream& stream, uint64_t number) {
  LockedEffects effects(mutex_);
  const std::optional<Role> role = members_.RoleOf(stream);
  if (!role) return RefuseWaiter(stream, "ack", effects);
  delivery_.RaiseCursor(*role, number, effects);
  effects.ReadMore(stream);
  Advance(effects);
}

void LiveChannel::Close(const Stream& stream, Mood mood) {
  LockedEffects effects(mutex_);
  const std::optional<Role> role = members_.RoleOf(stream);
  Waiter* const waiter = members_.waiters().Find(stream);
  if (mood == rendezvous::v1::MOOD_UNSPECIFIED || !rendezvous::v1::Mood_IsValid(mood)) {
    absl::Status status = Malformed("close.mood", "the mood is none that this relay knows");
    if (role) {
      members_.Fail(*role, stream, std::move(status), effects);
    } else if (waiter != nullptr) {
      members_.waiters().Remove(stream);
      effects.End(stream, std::move(status));
    }
  } else if (role) {
    members_.member(*role).AskToClose(stream, mood);
  } else if (waiter != nullptr) {
    if (waiter->side == members_.waiters().chosen()) {
      waiter->close = mood;  // it may be a member already, as the store has it
    } else {
      members_.waiters().Remove(stream);
      effects.End(stream, absl::OkStatus());
    }
  }
  Advance(effects);
}

void LiveChannel::Drained(const Stream& stream) {
  LockedEffects effects(mutex_);
  if (members_.RoleOf(stream)) Advance(effects);
}

void LiveChannel::Detach(const Stream& stream) {
  LockedEffects effects(mutex_);
  if (const std::optional<Role> role = members_.RoleOf(stream)) members_.Detach(*role, effects);
  // A waiter that has asked to close still has to, should it have become a member.
  const Waiter* const waiter = members_.waiters().Find(stream);
  if (waiter != nullptr && !waiter->close) members_.waiters().Remove(stream);
  Advance(effects);
}

void LiveChannel::RefuseWaiter(const Stream& stream, std::string_view field,
                               LockedEffects& effects) {
  if (members_.waiters().Find(stream) == nullptr) return;
  members_.waiters().Remove(stream);
  effects.End(stream, Malformed(field, "a side that waits may only send Heartbeat and Close"));
  Advance(effects);
}

Occupancy LiveChannel::occupancy() {
  sync::MutexLock lock(mutex_);
  return members_.occupancy();
}

// --- Life. ---

void LiveChannel::Advance(LockedEffects& effects) {
  if (retired_) return;
  do {
    while (CanRunFirstOp()) RunFirstOp(effects);
    for (Role role : kRoles) {
      if (Settled()) delivery_.AppendHeld(role, loads_, effects);
    }
  } while (QueueCloses());
  for (Role role : kRoles) delivery_.Deliver(role, effects);
  if (delivery_.paused() && !std::exchange(paused_, true)) context_->OnPaused(shared_from_this());
  if (Idle()) {
    Retire();
  } else {
    LoadIfNeeded(effects);
  }
}

bool LiveChannel::Idle() const {
  if (!ops_.empty() || committing_ || loads_.loading()) return false;
  const auto& members = members_.tenure()->members;
  return members_.waiters().empty() &&
         std::none_of(members.begin(), members.end(),
                      [](const LiveMember& member) { return member.attached() || member.busy(); });
}

void LiveChannel::Resume() {
  LockedEffects effects(mutex_);
  paused_ = false;
  Advance(effects);
}

void LiveChannel::Shutdown() {
  LockedEffects effects(mutex_);
  if (!retired_) FailStore(effects);
}

void LiveChannel::FailStore(LockedEffects& effects) {
  // A side whose presence was to go along with a record may count as attached, or not, or soon.
  if (committing_ && context_->shared()) {
    const auto* create = std::get_if<CreateOp>(&ops_.front().what);
    const ChannelRef channel =
        create != nullptr ? ChannelRef(key_, create->opener.side) : members_.ref();
    for (Role role : kRoles) {
      if (members_.member(role).attached()) continue;
      CallStore(effects).SetAttached(channel, role, false);
    }
  }
  members_.BeginTenure(members_.record(), StoreAway(context_->RetryDelay()), effects);
  for (const Waiter& waiter : members_.waiters().TakeAll()) {
    effects.End(waiter.stream, StoreAway(context_->RetryDelay()));
  }
  // The first one last: what it has asked of the store says more of the id than what has waited.
  for (auto op = ops_.rbegin(); op != ops_.rend(); ++op) {
    OpScope scope = ScopeOf(*op, effects);
    op->Abandon(scope);
  }
  ops_.clear();
  Retire();
}

void LiveChannel::Retire() {
  retired_ = true;
  context_->OnRetired(key_, this, delivery_.budget());
}

// --- Loads. ---

void LiveChannel::LoadIfNeeded(LockedEffects& effects) {
  if (committing_ || !loads_.wanted()) return;
  loads_.Begin();
  CallStore(effects).Load(
      key_, [self = shared_from_this()](absl::StatusOr<std::optional<ChannelSnapshot>> loaded) {
        self->OnLoaded(std::move(loaded));
      });
}

void LiveChannel::OnLoaded(absl::StatusOr<std::optional<ChannelSnapshot>> loaded) {
  LockedEffects effects(mutex_);
  if (retired_) return;
  if (!loaded.ok()) return FailStore(effects);
  if (loads_.Finish()) {
    members_.Adopt(loaded->value_or(ChannelSnapshot()), effects);
    QueueAdmission();
  }
  Advance(effects);
}

// --- Operations. ---

OpScope LiveChannel::ScopeOf(ChannelOp& op, LockedEffects& effects) {
  return {.key = key_,
          .context = *context_,
          .members = members_,
          .delivery = delivery_,
          .loads = loads_,
          .channel = shared_from_this(),
          .op = op,
          .effects = effects};
}

bool LiveChannel::CanRunFirstOp() const {
  return Settled() && !ops_.empty() && loads_.Has(ops_.front().needs_load);
}

void LiveChannel::RunFirstOp(LockedEffects& effects) {
  OpScope scope = ScopeOf(ops_.front(), effects);
  CarryOut(scope.op.Run(scope), effects);
}

// After OpAgain the operation stays the first.
void LiveChannel::CarryOut(OpStep step, LockedEffects& effects) {
  if (std::holds_alternative<OpDone>(step)) {
    members_.ForgetChosenWaiter(effects);
    ops_.pop_front();
  } else if (auto* put = std::get_if<OpPut>(&step)) {
    Commit(std::move(*put), effects);
  } else if (const auto* erase = std::get_if<OpErase>(&step)) {
    committing_ = true;
    CallStore(effects).Erase(
        key_, erase->version,
        [self = shared_from_this()](const absl::StatusOr<PutOutcome>& outcome) {
          self->OnCommitted(ChannelRecord(), outcome);
        });
  } else if (const auto* find = std::get_if<OpFindSide>(&step)) {
    committing_ = true;
    CallStore(effects).FindSide(
        key_.app_id, find->side,
        [self = shared_from_this()](const absl::StatusOr<std::optional<uint32_t>>& id) {
          self->OnSideFound(id);
        });
  }
}

void LiveChannel::Commit(OpPut put, LockedEffects& effects) {
  committing_ = true;
  const uint64_t expected = put.next.version;
  ChannelRecord stored = put.next;
  stored.version = expected + 1;
  CallStore(effects).Put(
      key_, expected, std::move(put.next), put.options,
      [self = shared_from_this(), stored = std::move(stored)](
          const absl::StatusOr<PutOutcome>& outcome) { self->OnCommitted(stored, outcome); });
}

void LiveChannel::OnCommitted(ChannelRecord next, const absl::StatusOr<PutOutcome>& outcome) {
  LockedEffects effects(mutex_);
  if (retired_) return;
  if (!outcome.ok()) return FailStore(effects);
  committing_ = false;
  OpScope scope = ScopeOf(ops_.front(), effects);
  switch (*outcome) {
    case PutOutcome::kDone:
      loads_.NoteStored();
      members_.NoteStored();
      CarryOut(scope.op.OnPut(scope, std::move(next)), effects);
      break;
    case PutOutcome::kStale:
      CarryOut(scope.op.OnStale(scope), effects);
      break;
    case PutOutcome::kSideTaken:
      CarryOut(scope.op.OnSideTaken(scope), effects);
      break;
  }
  Advance(effects);
}

void LiveChannel::OnSideFound(const absl::StatusOr<std::optional<uint32_t>>& id) {
  LockedEffects effects(mutex_);
  if (retired_) return;
  if (!id.ok()) return FailStore(effects);
  committing_ = false;
  OpScope scope = ScopeOf(ops_.front(), effects);
  CarryOut(scope.op.OnSideFound(scope, *id), effects);
  Advance(effects);
}

bool LiveChannel::QueueCloses() {
  bool queued = false;
  for (Role role : kRoles) {
    LiveMember& member = members_.member(role);
    if (!member.ReadyToClose()) continue;
    ops_.push_back({.what = CloseOp{.stream = std::exchange(member.close_stream, nullptr),
                                    .side = members_.record().member(role).side,
                                    .tenure = members_.tenure(),
                                    .role = role,
                                    .mood = *member.close}});
    queued = true;
  }
  return queued && CanRunFirstOp();
}

// Ahead of every operation that is not with the store: they came first.
void LiveChannel::QueueAdmission() {
  if (members_.waiters().empty() || !members_.AcceptsWaiters()) return;
  const auto is_admission = [](const ChannelOp& op) {
    return std::holds_alternative<AdmitWaitersOp>(op.what);
  };
  if (std::any_of(ops_.begin(), ops_.end(), is_admission)) return;
  const auto place = committing_ ? std::next(ops_.begin()) : ops_.begin();
  ops_.insert(place, {.what = AdmitWaitersOp()});
}

// --- Logs. ---

void LiveChannel::Append(Role author, const QueuedPost& post, LockedEffects& effects) {
  CallStore(effects).Append(members_.ref(), post.version, author, post.number, post.frame,
                            [self = shared_from_this(), tenure = members_.tenure(), author,
                             serial = post.serial](const absl::StatusOr<AppendResult>& result) {
                              self->OnAppended(tenure, author, serial, result);
                            });
}

void LiveChannel::OnAppended(const std::shared_ptr<Tenure>& tenure, Role author, uint64_t serial,
                             const absl::StatusOr<AppendResult>& result) {
  LockedEffects effects(mutex_);
  if (retired_ || tenure != members_.tenure()) return;
  switch (delivery_.OnAppended(author, serial, result, effects)) {
    case Delivery::AppendVerdict::kHandled:
      break;
    case Delivery::AppendVerdict::kOutdated:
      if (Current() && members_.AdoptCached(effects)) break;
      // A load that is owed already begins, or began, after the store had refused the first post of
      // this version: it shows a later one.
      if (uint64_t& load = members_.tenure()->posts_need_load; loads_.Has(load)) {
        load = loads_.RequireReload();
      }
      break;
    case Delivery::AppendVerdict::kStoreFailed:
      return FailStore(effects);
  }
  Advance(effects);
}

void LiveChannel::Accept(Role reader, uint64_t cursor, LockedEffects& effects) {
  CallStore(effects).Accept(
      members_.ref(), Other(reader), cursor,
      [self = shared_from_this(), tenure = members_.tenure(),
       reader](const absl::StatusOr<LogState>& log) { self->OnAccepted(tenure, reader, log); });
}

void LiveChannel::OnAccepted(const std::shared_ptr<Tenure>& tenure, Role reader,
                             const absl::StatusOr<LogState>& log) {
  LockedEffects effects(mutex_);
  if (retired_ || tenure != members_.tenure()) return;
  const absl::Status taken = delivery_.OnAccepted(reader, log, effects);
  if (absl::IsNotFound(taken)) {
    loads_.RequireReload();  // the channel is gone, or not its reader's: the load says how
  } else if (!taken.ok()) {
    return FailStore(effects);
  }
  Advance(effects);
}

void LiveChannel::Read(Role reader, uint64_t after, LockedEffects& effects) {
  CallStore(effects).Read(
      members_.ref(), Other(reader), after, context_->options().limits.window_bytes,
      [self = shared_from_this(), tenure = members_.tenure(), reader,
       stream =
           members_.member(reader).here.stream](absl::StatusOr<std::vector<StoredFrame>> frames) {
        self->OnRead(tenure, reader, stream, std::move(frames));
      });
}

void LiveChannel::OnRead(const std::shared_ptr<Tenure>& tenure, Role reader, const Stream& stream,
                         absl::StatusOr<std::vector<StoredFrame>> frames) {
  LockedEffects effects(mutex_);
  if (retired_ || tenure != members_.tenure()) return;
  if (members_.member(reader).here.stream != stream) return;
  if (!frames.ok()) return FailStore(effects);
  if (!delivery_.OnRead(reader, *std::move(frames), effects)) {
    // The client comes back and sees by its Opened what has become of the frames.
    loads_.RequireReload();
    members_.Fail(reader, stream, StoreAway(context_->RetryDelay()), effects);
  }
  Advance(effects);
}

// --- What other relays do. ---

// A newer record of the channel that is known here can be adopted as it is.
void LiveChannel::OnChanged(const ChannelSnapshot* now) {
  LockedEffects effects(mutex_);
  if (retired_) return;
  const ChannelRecord& record = members_.record();
  if (now != nullptr && Current() && members_.exists() && HasSameInitiator(record, now->record)) {
    if (now->record.version <= record.version) return;
    members_.AdoptWithoutPresence(*now, effects);
  } else {
    loads_.RequireReload();
  }
  Advance(effects);
}

void LiveChannel::OnLog(const ChannelRef& channel, Role author, const LogState& log,
                        const StoredFrame* frame) {
  LockedEffects effects(mutex_);
  if (retired_) return;
  // It may be the log of an earlier channel with this id, or of one that is not known here yet.
  const ChannelRecord& record = members_.record();
  const bool known = members_.exists() && !record.ended() && channel.Names(record);
  if (!known || channel.initiator.empty()) {
    loads_.RequireReload();
    return Advance(effects);
  }
  members_.UpdateLog(author, log);
  if (frame != nullptr && frame->number == members_.snapshot().log(author).stored) {
    delivery_.ForwardNow(author, frame->number, frame->frame, effects);
  }
  Advance(effects);
}

void LiveChannel::OnPresence(const ChannelRef& channel, Role role, bool remote) {
  LockedEffects effects(mutex_);
  if (retired_) return;
  // The channel may be another one by now, and the stream that is here the newer one: a load tells.
  const bool named =
      members_.exists() && !channel.initiator.empty() && channel.Names(members_.record());
  if (named && Current() && !(remote && members_.member(role).attached())) {
    members_.SetRemote(role, remote, /*superseded=*/remote, effects);
    members_.PairsAnew();
  } else {
    loads_.RequireReload();
  }
  Advance(effects);
}

// A count of an earlier channel with the id is none of this one's members'.
void LiveChannel::OnThirdParties(const ChannelRef& channel, uint32_t count) {
  LockedEffects effects(mutex_);
  if (retired_ || !members_.exists() || !channel.Names(members_.record())) return;
  members_.CountThirdParties(count);
  Advance(effects);
}

}  // namespace wormhole::relay
