// The operations on the membership: judge the record, commit what the rule made of it, tell the
// streams. One at a time; the store's answer decides.
#include <utility>

#include "proto/error/error_detail.h"
#include "relay/channel/log_rules.h"
#include "relay/switchboard/live_channel.h"
#include "relay/switchboard/refusals.h"

namespace wormhole::relay {

using error::ErrorDetail;

namespace {

// How often an op is judged again because the store knew better.
constexpr int kMaxAttempts = 8;

bool IsMember(const ChannelRecord& record, const std::string& side) {
  return record.member(Role::kInitiator).side == side ||
         record.member(Role::kReceiver).side == side;
}

}  // namespace

void LiveChannel::RunFirstOp(LockedEffects& effects) {
  ChannelOp& op = ops_.front();
  switch (op.kind) {
    case ChannelOp::Kind::kCreate:
      return RunCreate(op, effects);
    case ChannelOp::Kind::kClaim:
    case ChannelOp::Kind::kClaimOrWait:
      return RunClaim(op, effects);
    case ChannelOp::Kind::kResume:
    case ChannelOp::Kind::kReturn:
      return RunResume(op, effects);
    case ChannelOp::Kind::kClose:
      return RunClose(op, effects);
    case ChannelOp::Kind::kDue:
      return RunDue(effects);
    case ChannelOp::Kind::kAdmitWaiters:
      return RunAdmitWaiters(effects);
  }
}

void LiveChannel::RunCreate(ChannelOp& op, LockedEffects& effects) {
  if (op.stream->over()) return Refuse(op, absl::CancelledError(), effects);
  const ChannelRecord& record = this->record();
  // Made before, and the answer was lost.
  if (record.version != 0 && record.member(Role::kInitiator).side == op.side) {
    return RunResume(op, effects);
  }
  const bool free = record.version == 0 || (record.ended() && op.create.may_replace);
  if (!free) return RefuseCreate(op, effects);
  if (op.create.named) op.chosen = ChooseWaiter(op.side, effects);
  ChannelRecord next = NewChannel(op.side, op.chosen, op.create.named, op.create.ttl,
                                  registry_->wall_now(), registry_->options().limits);
  next.version = record.version;
  PutOptions options{.attached = RoleSet(Role::kInitiator)};
  if (!op.chosen.empty()) options.attached.Add(Role::kReceiver);
  Commit(std::move(next), options, effects);
}

void LiveChannel::RefuseCreate(ChannelOp& op, LockedEffects& effects) {
  if (op.create.named) {
    return Refuse(op, Taken(key_.id), effects);
  }
  effects.Defer([refused = std::move(op.create.refused)] { refused(CreateRefusal::kIdInUse, 0); });
  ReportId();
  PopOp();
}

void LiveChannel::RunClaim(ChannelOp& op, LockedEffects& effects) {
  if (op.stream->over()) return PopOp();
  if (op.optimistic) return RunOptimisticClaim(op, effects);
  const ChannelRecord& record = this->record();
  const bool exists = record.version != 0;
  if (op.kind == ChannelOp::Kind::kClaimOrWait) {
    // An id that was drawn is another's: whoever agreed on it beforehand waits for its turn.
    if (!Joinable() && !(exists && IsMember(record, op.side))) {
      AddWaiter(op, effects);
      return PopOp();
    }
  }
  if (!exists) return Refuse(op, NeverAllocated(key_.id), effects);
  absl::StatusOr<ChannelRecord> next = relay::Claim(record, op.side, registry_->wall_now());
  if (!next.ok()) {
    if (error::ReasonOf(next.status()) == ErrorDetail::REASON_CROWDED) {
      ReportThirdParties(1, effects);
      Tell(ChannelEvent::Kind::kCrowded, effects);
    }
    return Refuse(op, next.status(), effects);
  }
  if (*next == record) {
    AttachMember(Role::kReceiver, op.stream, op.cursor, false, effects);
    return PopOp();
  }
  Commit(*std::move(next), {.attached = RoleSet(Role::kReceiver)}, effects);
}

void LiveChannel::RunResume(ChannelOp& op, LockedEffects& effects) {
  const bool exists = record().version != 0;
  if (!exists) {
    // An allocation whose channel has gone between two looks begins again.
    return Refuse(op,
                  op.kind == ChannelOp::Kind::kReturn ? Busy(registry_->RetryDelay())
                                                      : NeverAllocated(key_.id),
                  effects);
  }
  const absl::StatusOr<Role> role = JudgeResume(record(), op.side, registry_->wall_now());
  if (!role.ok()) return Refuse(op, role.status(), effects);
  if (op.kind == ChannelOp::Kind::kReturn && *role != Role::kInitiator) {
    return Refuse(op, SideInUse(), effects);
  }
  AttachMember(*role, op.stream, op.cursor, false, effects);
  PopOp();
}

void LiveChannel::RunClose(ChannelOp& op, LockedEffects& effects) {
  // Another channel has come to have the id before this one could be closed.
  if (record().member(op.role).side != op.side) {
    return Refuse(op, EndedError(ChannelRecord()), effects);
  }
  absl::StatusOr<ChannelRecord> next =
      relay::Close(record(), op.role, op.mood, registry_->wall_now(), registry_->options().limits);
  if (!next.ok()) return Refuse(op, next.status(), effects);
  if (*next == record()) return FinishClose(op, effects);
  op.cursor = op.tenure->work(op.role).cursor;
  PutOptions options;
  options.accepted[Other(op.role)] = op.cursor;
  Commit(*std::move(next), options, effects);
}

void LiveChannel::RunDue(LockedEffects& effects) {
  if (record().version == 0) return PopOp();
  ChannelRecord next = record();
  switch (JudgeDue(next, registry_->wall_now(), registry_->options().limits)) {
    case DueAction::kNothing:
      return PopOp();
    case DueAction::kPut:
      return Commit(std::move(next), {}, effects);
    case DueAction::kErase:
      committing_ = true;
      CallStore(effects).Erase(
          key_, next.version,
          [self = shared_from_this()](const absl::StatusOr<PutOutcome>& outcome) {
            self->OnCommitted(ChannelRecord(), outcome);
          });
      return;
  }
}

// The first waiter claims; whoever has become the receiver at another relay is seated if it waits
// here, and the others come too late.
void LiveChannel::RunAdmitWaiters(LockedEffects& effects) {
  const ChannelRecord& record = this->record();
  if (!Joinable()) return PopOp();
  const std::string first = ChooseWaiter(record.member(Role::kInitiator).side, effects);
  if (first.empty()) return PopOp();
  if (const std::string receiver = record.member(Role::kReceiver).side; !receiver.empty()) {
    AdmitWaiters(receiver, false, effects);
    return PopOp();
  }
  absl::StatusOr<ChannelRecord> next = relay::Claim(record, first, registry_->wall_now());
  if (!next.ok()) return PopOp();  // its time has just ended: they wait for another
  ops_.front().chosen = first;
  Commit(*std::move(next), {.attached = RoleSet(Role::kReceiver)}, effects);
}

// `next.version` is the version that it replaces.
void LiveChannel::Commit(ChannelRecord next, const PutOptions& options, LockedEffects& effects) {
  committing_ = true;
  const uint64_t expected = next.version;
  ChannelRecord stored = next;
  stored.version = expected + 1;
  CallStore(effects).PutWith(
      key_, expected, std::move(next), options,
      [self = shared_from_this(), stored = std::move(stored)](
          const absl::StatusOr<PutOutcome>& outcome) { self->OnCommitted(stored, outcome); });
}

void LiveChannel::OnCommitted(ChannelRecord next, const absl::StatusOr<PutOutcome>& outcome) {
  LockedEffects effects(mutex_);
  if (retired_) return;
  if (!outcome.ok()) return FailStore(effects);
  committing_ = false;
  switch (*outcome) {
    case PutOutcome::kDone:
      if (loading_) stale_loads_ = loads_begun_;
      FinishOp(std::move(next), effects);
      break;
    case PutOutcome::kStale: {
      ChannelOp& op = ops_.front();
      op.optimistic = false;
      // What a side that closes is told is true of any record that the channel has had.
      if (op.kind != ChannelOp::Kind::kClose || !AdoptCached(effects))
        op.needs_load = RequireReload();
      TryAgain(op, effects);
      break;
    }
    case PutOutcome::kSideTaken:
      OnSideTaken(ops_.front(), effects);
      break;
  }
  Advance(effects);
}

void LiveChannel::FinishOp(ChannelRecord next, LockedEffects& effects) {
  ChannelOp& op = ops_.front();
  store_answered_ = true;
  switch (op.kind) {
    case ChannelOp::Kind::kCreate:
      SetRecord(std::move(next), effects);
      Tell(ChannelEvent::Kind::kAllocated, effects);
      FinishCreate(op, effects);
      break;
    case ChannelOp::Kind::kClose: {
      // The stream that closed ends well, also when the channel ends with it.
      effects.End(op.stream, absl::OkStatus());
      if (seat(op.role).stream == op.stream) DetachMember(op.role, effects);
      // The answer to the side's last acknowledgement may come later than this one, and a post that
      // it has accepted would be refused.
      LogState& read = op.tenure->snapshot.log(Other(op.role));
      read = RaiseAccepted(read, op.cursor);
      SetRecord(std::move(next), effects);
      if (record().ended()) Tell(ChannelEvent::Kind::kClosed, effects);
      seat(Other(op.role)).pending_status = true;
      break;
    }
    case ChannelOp::Kind::kClaim:
    case ChannelOp::Kind::kClaimOrWait:
      SetRecord(std::move(next), effects);
      Tell(ChannelEvent::Kind::kClaimed, effects);
      if (!FinishClaim(op, effects)) return;
      break;
    case ChannelOp::Kind::kAdmitWaiters:
      SetRecord(std::move(next), effects);
      Tell(ChannelEvent::Kind::kClaimed, effects);
      AdmitWaiters(op.chosen, true, effects);
      seat(Role::kInitiator).pending_status = true;  // also when the waiter's stream is over
      break;
    case ChannelOp::Kind::kDue:
      SetRecord(std::move(next), effects);
      if (record().life == Life::kExpired) Tell(ChannelEvent::Kind::kExpired, effects);
      break;
    case ChannelOp::Kind::kResume:
    case ChannelOp::Kind::kReturn:
      break;  // they store nothing
  }
  ReportId();
  PopOp();
}

void LiveChannel::FinishCreate(ChannelOp& op, LockedEffects& effects) {
  AttachMember(Role::kInitiator, op.stream, op.cursor, true, effects);
  if (!record().member(Role::kReceiver).side.empty()) {
    Tell(ChannelEvent::Kind::kClaimed, effects);
  }
  if (op.create.named) AdmitWaiters(op.chosen, true, effects);
}

// A side that had left before closes again.
void LiveChannel::FinishClose(ChannelOp& op, LockedEffects& effects) {
  effects.End(op.stream, absl::OkStatus());
  if (seat(op.role).stream == op.stream) DetachMember(op.role, effects);
  PopOp();
}

void LiveChannel::OnSideTaken(ChannelOp& op, LockedEffects& effects) {
  if (op.kind == ChannelOp::Kind::kAdmitWaiters) DismissWaiter(op.chosen, SideInUse(), effects);
  if (op.side.empty() || op.kind == ChannelOp::Kind::kClose) {
    return TryAgain(op, effects);  // brings no new side, or no longer
  }
  // Is it the op's own side or a waiter's, and whose member?
  committing_ = true;
  CallStore(effects).FindSide(
      key_.app_id, op.side,
      [self = shared_from_this()](const absl::StatusOr<std::optional<uint32_t>>& id) {
        self->OnSideFound(id);
      });
}

void LiveChannel::OnSideFound(const absl::StatusOr<std::optional<uint32_t>>& id) {
  LockedEffects effects(mutex_);
  if (retired_) return;
  if (!id.ok()) return FailStore(effects);
  committing_ = false;
  ChannelOp& op = ops_.front();
  if (op.kind != ChannelOp::Kind::kCreate) {
    OnClaimantFound(op, *id, effects);
  } else if (id->has_value() && **id != key_.id) {
    ForgetChosen(op, effects);
    effects.Defer([refused = std::move(op.create.refused), other = **id] {
      refused(CreateRefusal::kSideElsewhere, other);
    });
    ReleaseId(op);
    PopOp();
  } else if (id->has_value() && op.attempts > 0) {
    Refuse(op, EndedError(ChannelRecord()), effects);  // as a load has shown: of an earlier channel
  } else {
    if (id->has_value()) op.needs_load = RequireReload();
    if (!id->has_value() && !op.chosen.empty()) DismissWaiter(op.chosen, SideInUse(), effects);
    TryAgain(op, effects);
  }
  Advance(effects);
}

// Another relay may have seated it here a moment ago, which a load shows. Otherwise a side that is
// of this id is of an earlier channel, and what comes is a late copy of what it said to that one.
void LiveChannel::OnClaimantFound(ChannelOp& op, std::optional<uint32_t> id,
                                  LockedEffects& effects) {
  if (id != key_.id) return Refuse(op, SideInUse(), effects);
  if (op.attempts > 0) return Refuse(op, EndedError(ChannelRecord()), effects);
  op.optimistic = false;
  op.needs_load = RequireReload();
  TryAgain(op, effects);
}

void LiveChannel::TryAgain(ChannelOp& op, LockedEffects& effects) {
  ForgetChosen(op, effects);
  if (++op.attempts <= kMaxAttempts) return;
  if (op.stream) return Refuse(op, Busy(registry_->RetryDelay()), effects);
  PopOp();  // Due comes again, and the next load finds the waiters
}

void LiveChannel::Refuse(ChannelOp& op, absl::Status status, LockedEffects& effects) {
  effects.End(op.stream, std::move(status));
  if (op.kind == ChannelOp::Kind::kCreate) ReleaseId(op);
  if (op.kind == ChannelOp::Kind::kClose && seat(op.role).stream == op.stream) {
    DetachMember(op.role, effects);
  }
  PopOp();
}

void LiveChannel::PopOp() { ops_.pop_front(); }

void LiveChannel::Tell(ChannelEvent::Kind kind, LockedEffects& effects) {
  effects.Tell(registry_->observer(), {.kind = kind, .key = key_, .mood = record().ended_by});
}

}  // namespace wormhole::relay
