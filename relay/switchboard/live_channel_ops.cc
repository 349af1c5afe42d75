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

void LiveChannel::RunFirstOp(Turn& turn) {
  ChannelOp& op = ops_.front();
  switch (op.kind) {
    case ChannelOp::Kind::kCreate:
      return RunCreate(op, turn);
    case ChannelOp::Kind::kClaim:
    case ChannelOp::Kind::kClaimOrWait:
      return RunClaim(op, turn);
    case ChannelOp::Kind::kResume:
    case ChannelOp::Kind::kReturn:
      return RunResume(op, turn);
    case ChannelOp::Kind::kClose:
      return RunClose(op, turn);
    case ChannelOp::Kind::kDue:
      return RunDue(turn);
    case ChannelOp::Kind::kSeatWaiters:
      return RunSeatWaiters(turn);
  }
}

void LiveChannel::RunCreate(ChannelOp& op, Turn& turn) {
  if (op.stream->over()) return Refuse(op, absl::CancelledError(), turn);
  const ChannelRecord& record = this->record();
  // Made before, and the answer was lost.
  if (record.version != 0 && record.member(Role::kInitiator).side == op.side) {
    return RunResume(op, turn);
  }
  const bool free = record.version == 0 || (record.ended() && op.create.may_replace);
  if (!free) return RefuseCreate(op, turn);
  if (op.create.named) op.chosen = ChooseWaiter(op.side, turn);
  ChannelRecord next = NewChannel(op.side, op.chosen, op.create.named, op.create.ttl,
                                  registry_->wall_now(), registry_->options().limits);
  next.version = record.version;
  PutAlong along{.attached = BitOf(Role::kInitiator)};
  if (!op.chosen.empty()) along.attached |= BitOf(Role::kReceiver);
  Commit(std::move(next), along, turn);
}

void LiveChannel::RefuseCreate(ChannelOp& op, Turn& turn) {
  if (op.create.named) {
    return Refuse(op, Taken(key_.id), turn);
  }
  turn.Afterwards(
      [refused = std::move(op.create.refused)] { refused(CreateRefusal::kIdInUse, 0); });
  ReportId();
  PopOp();
}

void LiveChannel::RunClaim(ChannelOp& op, Turn& turn) {
  if (op.stream->over()) return PopOp();
  if (op.guesses) return RunGuess(op, turn);
  const ChannelRecord& record = this->record();
  const bool exists = record.version != 0;
  if (op.kind == ChannelOp::Kind::kClaimOrWait) {
    // An id that was drawn is another's: whoever agreed on it beforehand waits for its turn.
    if (!Joinable() && !(exists && IsMember(record, op.side))) {
      AddWaiter(op, turn);
      return PopOp();
    }
  }
  if (!exists) return Refuse(op, NeverAllocated(key_.id), turn);
  absl::StatusOr<ChannelRecord> next = relay::Claim(record, op.side, registry_->wall_now());
  if (!next.ok()) {
    if (error::ReasonOf(next.status()) == ErrorDetail::REASON_CROWDED) {
      ReportThirdParties(1, turn);
      Tell(ChannelEvent::Kind::kCrowded, turn);
    }
    return Refuse(op, next.status(), turn);
  }
  if (*next == record) {
    SitDown(Role::kReceiver, op.stream, op.cursor, false, turn);
    return PopOp();
  }
  Commit(*std::move(next), {.attached = BitOf(Role::kReceiver)}, turn);
}

void LiveChannel::RunResume(ChannelOp& op, Turn& turn) {
  const bool exists = record().version != 0;
  if (!exists) {
    // An allocation whose channel has gone between two looks begins again.
    return Refuse(op,
                  op.kind == ChannelOp::Kind::kReturn ? Busy(registry_->RetryDelay())
                                                      : NeverAllocated(key_.id),
                  turn);
  }
  const absl::StatusOr<Role> role = JudgeResume(record(), op.side, registry_->wall_now());
  if (!role.ok()) return Refuse(op, role.status(), turn);
  if (op.kind == ChannelOp::Kind::kReturn && *role != Role::kInitiator) {
    return Refuse(op, SideInUse(), turn);
  }
  SitDown(*role, op.stream, op.cursor, false, turn);
  PopOp();
}

void LiveChannel::RunClose(ChannelOp& op, Turn& turn) {
  // Another channel has come to have the id before this one could be closed.
  if (record().member(op.role).side != op.side) {
    return Refuse(op, EndedError(ChannelRecord()), turn);
  }
  absl::StatusOr<ChannelRecord> next =
      relay::Close(record(), op.role, op.mood, registry_->wall_now(), registry_->options().limits);
  if (!next.ok()) return Refuse(op, next.status(), turn);
  if (*next == record()) return FinishClose(op, turn);
  op.cursor = op.tenure->work(op.role).cursor;
  PutAlong along;
  along.accepted[static_cast<size_t>(Other(op.role))] = op.cursor;
  Commit(*std::move(next), along, turn);
}

void LiveChannel::RunDue(Turn& turn) {
  if (record().version == 0) return PopOp();
  ChannelRecord next = record();
  switch (JudgeDue(next, registry_->wall_now(), registry_->options().limits)) {
    case DueAction::kNothing:
      return PopOp();
    case DueAction::kPut:
      return Commit(std::move(next), {}, turn);
    case DueAction::kErase:
      committing_ = true;
      CallStore(turn).Erase(key_, next.version,
                            [self = shared_from_this()](const absl::StatusOr<PutOutcome>& outcome) {
                              self->OnCommitted(ChannelRecord(), outcome);
                            });
      return;
  }
}

// The first waiter claims; whoever has become the receiver at another relay is seated if it waits
// here, and the others come too late.
void LiveChannel::RunSeatWaiters(Turn& turn) {
  const ChannelRecord& record = this->record();
  if (!Joinable()) return PopOp();
  const std::string first = ChooseWaiter(record.member(Role::kInitiator).side, turn);
  if (first.empty()) return PopOp();
  if (const std::string receiver = record.member(Role::kReceiver).side; !receiver.empty()) {
    SeatWaiters(receiver, false, turn);
    return PopOp();
  }
  absl::StatusOr<ChannelRecord> next = relay::Claim(record, first, registry_->wall_now());
  if (!next.ok()) return PopOp();  // its time has just ended: they wait for another
  ops_.front().chosen = first;
  Commit(*std::move(next), {.attached = BitOf(Role::kReceiver)}, turn);
}

// `next.version` is the version that it replaces.
void LiveChannel::Commit(ChannelRecord next, const PutAlong& along, Turn& turn) {
  committing_ = true;
  const uint64_t expected = next.version;
  ChannelRecord stored = next;
  stored.version = expected + 1;
  CallStore(turn).PutWith(
      key_, expected, std::move(next), along,
      [self = shared_from_this(), stored = std::move(stored)](
          const absl::StatusOr<PutOutcome>& outcome) { self->OnCommitted(stored, outcome); });
}

void LiveChannel::OnCommitted(ChannelRecord next, const absl::StatusOr<PutOutcome>& outcome) {
  Turn turn(mutex_);
  if (retired_) return;
  if (!outcome.ok()) return Abandon(turn);
  committing_ = false;
  switch (*outcome) {
    case PutOutcome::kDone:
      if (loading_) void_loads_ = loads_begun_;
      FinishOp(std::move(next), turn);
      break;
    case PutOutcome::kStale: {
      ChannelOp& op = ops_.front();
      op.guesses = false;
      // What a side that closes is told is true of any record that the channel has had.
      if (op.kind != ChannelOp::Kind::kClose || !TakeKnown(turn)) op.needs_load = Doubt();
      TryAgain(op, turn);
      break;
    }
    case PutOutcome::kSideTaken:
      OnSideTaken(ops_.front(), turn);
      break;
  }
  Advance(turn);
}

void LiveChannel::FinishOp(ChannelRecord next, Turn& turn) {
  ChannelOp& op = ops_.front();
  informed_ = true;
  switch (op.kind) {
    case ChannelOp::Kind::kCreate:
      SetRecord(std::move(next), turn);
      Tell(ChannelEvent::Kind::kAllocated, turn);
      FinishCreate(op, turn);
      break;
    case ChannelOp::Kind::kClose: {
      // The stream that closed ends well, also when the channel ends with it.
      turn.End(op.stream, absl::OkStatus());
      if (seat(op.role).stream == op.stream) Vacate(op.role, turn);
      // The answer to the side's last acknowledgement may come later than this one, and a post that
      // it has accepted would be refused.
      LogState& read = op.tenure->snapshot.log(Other(op.role));
      read = RaiseAccepted(read, op.cursor);
      SetRecord(std::move(next), turn);
      if (record().ended()) Tell(ChannelEvent::Kind::kClosed, turn);
      seat(Other(op.role)).owes_status = true;
      break;
    }
    case ChannelOp::Kind::kClaim:
    case ChannelOp::Kind::kClaimOrWait:
      SetRecord(std::move(next), turn);
      Tell(ChannelEvent::Kind::kClaimed, turn);
      if (!FinishClaim(op, turn)) return;
      break;
    case ChannelOp::Kind::kSeatWaiters:
      SetRecord(std::move(next), turn);
      Tell(ChannelEvent::Kind::kClaimed, turn);
      SeatWaiters(op.chosen, true, turn);
      seat(Role::kInitiator).owes_status = true;  // also when the waiter's stream is over
      break;
    case ChannelOp::Kind::kDue:
      SetRecord(std::move(next), turn);
      if (record().life == Life::kExpired) Tell(ChannelEvent::Kind::kExpired, turn);
      break;
    case ChannelOp::Kind::kResume:
    case ChannelOp::Kind::kReturn:
      break;  // they store nothing
  }
  ReportId();
  PopOp();
}

void LiveChannel::FinishCreate(ChannelOp& op, Turn& turn) {
  SitDown(Role::kInitiator, op.stream, op.cursor, true, turn);
  if (!record().member(Role::kReceiver).side.empty()) {
    Tell(ChannelEvent::Kind::kClaimed, turn);
  }
  if (op.create.named) SeatWaiters(op.chosen, true, turn);
}

// A side that had left before closes again.
void LiveChannel::FinishClose(ChannelOp& op, Turn& turn) {
  turn.End(op.stream, absl::OkStatus());
  if (seat(op.role).stream == op.stream) Vacate(op.role, turn);
  PopOp();
}

void LiveChannel::OnSideTaken(ChannelOp& op, Turn& turn) {
  if (op.kind == ChannelOp::Kind::kSeatWaiters) DismissWaiter(op.chosen, SideInUse(), turn);
  if (op.side.empty() || op.kind == ChannelOp::Kind::kClose) {
    return TryAgain(op, turn);  // brings no new side, or no longer
  }
  // Is it the op's own side or a waiter's, and whose member?
  committing_ = true;
  CallStore(turn).FindSide(
      key_.app_id, op.side,
      [self = shared_from_this()](const absl::StatusOr<std::optional<uint32_t>>& id) {
        self->OnSideFound(id);
      });
}

void LiveChannel::OnSideFound(const absl::StatusOr<std::optional<uint32_t>>& id) {
  Turn turn(mutex_);
  if (retired_) return;
  if (!id.ok()) return Abandon(turn);
  committing_ = false;
  ChannelOp& op = ops_.front();
  if (op.kind != ChannelOp::Kind::kCreate) {
    OnClaimantFound(op, *id, turn);
  } else if (id->has_value() && **id != key_.id) {
    ForgetChosen(op, turn);
    turn.Afterwards([refused = std::move(op.create.refused), other = **id] {
      refused(CreateRefusal::kSideElsewhere, other);
    });
    ReleaseId(op);
    PopOp();
  } else if (id->has_value() && op.attempts > 0) {
    Refuse(op, EndedError(ChannelRecord()), turn);  // as a load has shown: of an earlier channel
  } else {
    if (id->has_value()) op.needs_load = Doubt();
    if (!id->has_value() && !op.chosen.empty()) DismissWaiter(op.chosen, SideInUse(), turn);
    TryAgain(op, turn);
  }
  Advance(turn);
}

// Another relay may have seated it here a moment ago, which a load shows. Otherwise a side that is
// of this id is of an earlier channel, and what comes is a late copy of what it said to that one.
void LiveChannel::OnClaimantFound(ChannelOp& op, std::optional<uint32_t> id, Turn& turn) {
  if (id != key_.id) return Refuse(op, SideInUse(), turn);
  if (op.attempts > 0) return Refuse(op, EndedError(ChannelRecord()), turn);
  op.guesses = false;
  op.needs_load = Doubt();
  TryAgain(op, turn);
}

void LiveChannel::TryAgain(ChannelOp& op, Turn& turn) {
  ForgetChosen(op, turn);
  if (++op.attempts <= kMaxAttempts) return;
  if (op.stream) return Refuse(op, Busy(registry_->RetryDelay()), turn);
  PopOp();  // Due comes again, and the next load finds the waiters
}

void LiveChannel::Refuse(ChannelOp& op, absl::Status status, Turn& turn) {
  turn.End(op.stream, std::move(status));
  if (op.kind == ChannelOp::Kind::kCreate) ReleaseId(op);
  if (op.kind == ChannelOp::Kind::kClose && seat(op.role).stream == op.stream) {
    Vacate(op.role, turn);
  }
  PopOp();
}

void LiveChannel::PopOp() { ops_.pop_front(); }

void LiveChannel::Tell(ChannelEvent::Kind kind, Turn& turn) {
  turn.Tell(registry_->observer(), {.kind = kind, .key = key_, .mood = record().ended_by});
}

}  // namespace wormhole::relay
