#include "relay/switchboard/channel_op.h"

#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "proto/error/error_detail.h"
#include "relay/channel/log_rules.h"
#include "relay/channel/rules.h"
#include "relay/switchboard/refusals.h"

namespace wormhole::relay {
namespace {

// How often an operation runs again because the store knew better.
constexpr int kMaxAttempts = 8;

// The creation has come to nothing. An id that was drawn goes back to where it was drawn from.
void ReleaseId(const CreateOp& create, OpScope& scope) {
  scope.members.ReleaseId(/*drawn=*/!create.named, /*spent=*/create.may_replace);
}

// The operation is refused: ends its stream, and undoes what it has brought about.
OpStep Refuse(OpScope& scope, absl::Status status) {
  scope.effects.End(scope.op.stream(), std::move(status));
  if (const auto* create = std::get_if<CreateOp>(&scope.op.what)) {
    ReleaseId(*create, scope);
  } else if (const auto* close = std::get_if<CloseOp>(&scope.op.what)) {
    if (scope.members.member(close->role).here.stream == close->stream) {
      scope.members.Detach(close->role, scope.effects);
    }
  }
  return OpDone{};
}

// Once more, but not for ever.
OpStep TryAgain(OpScope& scope) {
  scope.members.ForgetChosenWaiter(scope.effects);
  if (++scope.op.attempts <= kMaxAttempts) return OpAgain{};
  if (scope.op.stream()) return Refuse(scope, Busy(scope.context.RetryDelay()));
  return OpDone{};  // what is due is brought up again, and the next load finds the waiters
}

OpStep TryAgainAfterLoad(OpScope& scope) {
  scope.op.needs_load = scope.loads.RequireReload();
  return TryAgain(scope);
}

// The record was stored and is shown: the operation is through.
OpStep Through(OpScope& scope) {
  scope.members.ReportId();
  return OpDone{};
}

// The channel that the waiters were waiting for is there: the chosen one is in it, the others came
// too late. `published` as in ArrivingStream. `chosen` is a copy, since TakeAll clears the list's
// own.
void AdmitWaiters(OpScope& scope, const std::string chosen, bool published) {
  uint32_t third_parties = 0;
  bool admitted = false;
  for (const Waiter& waiter : scope.members.waiters().TakeAll()) {
    if (waiter.side != chosen) {
      scope.effects.End(waiter.stream, LateWaiter());
      scope.members.Tell(ChannelEvent::Kind::kCrowded, scope.effects);
      ++third_parties;
      continue;
    }
    scope.Attach(
        Role::kReceiver,
        {.stream = waiter.stream, .cursor = waiter.cursor, .published = published, .reads = true});
    admitted = true;
    if (waiter.close)
      scope.members.member(Role::kReceiver).AskToClose(waiter.stream, *waiter.close);
  }
  if (published && !chosen.empty() && !admitted) {  // it has gone meanwhile
    scope.members.PublishPresence(Role::kReceiver, false, scope.effects);
  }
  scope.members.ReportThirdParties(third_parties, scope.effects);
}

OpStep Resume(OpScope& scope, const Opener& opener, bool initiator_only) {
  const absl::StatusOr<Role> role =
      JudgeResume(scope.members.record(), opener.side, scope.context.wall_now());
  if (!role.ok()) return Refuse(scope, role.status());
  if (initiator_only && *role != Role::kInitiator) return Refuse(scope, SideInUse());
  scope.Attach(*role, {.stream = opener.stream, .cursor = opener.cursor});
  return OpDone{};
}

}  // namespace

void OpScope::Attach(Role role, const ArrivingStream& arrival) {
  if (members.Attach(role, arrival, channel, effects)) {
    delivery.RaiseCursor(role, arrival.cursor, effects);
  }
}

// --- Create. ---

OpStep CreateOp::Run(OpScope& scope) {
  if (opener.stream->over()) return Refuse(scope, absl::CancelledError());
  Membership& members = scope.members;
  const ChannelRecord& record = members.record();
  // Made before, and the answer was lost.
  if (members.exists() && record.member(Role::kInitiator).side == opener.side) {
    return Resume(scope, opener, /*initiator_only=*/false);
  }
  const bool free = !members.exists() || (may_replace && IdStateOf(record) == IdState::kSpent);
  if (!free) {
    if (named) return Refuse(scope, Taken(scope.key.id));
    scope.effects.Defer([refused = std::move(refused)] { refused(CreateRefusal::kIdInUse, 0); });
    return Through(scope);
  }
  std::string receiver;
  if (named) receiver = members.ChooseWaiter(opener.side, scope.effects);
  OpPut put{.next = NewChannel(opener.side, receiver, named, ttl, scope.context.wall_now(),
                               scope.context.options().limits),
            .options = {.attached = RoleSet(Role::kInitiator)}};
  put.next.version = record.version;
  if (!receiver.empty()) put.options.attached.Add(Role::kReceiver);
  return put;
}

OpStep CreateOp::OnPut(OpScope& scope, ChannelRecord next) {
  Membership& members = scope.members;
  members.SetRecord(std::move(next), scope.effects);
  members.Tell(ChannelEvent::Kind::kAllocated, scope.effects);
  scope.context.OnAllocated(scope.key, opener.stream->origin());
  scope.Attach(Role::kInitiator,
               {.stream = opener.stream, .cursor = opener.cursor, .published = true});
  if (!members.record().member(Role::kReceiver).side.empty()) {
    members.Tell(ChannelEvent::Kind::kClaimed, scope.effects);
  }
  if (named) AdmitWaiters(scope, members.waiters().chosen(), /*published=*/true);
  return Through(scope);
}

// Is it the creator's side that is taken, or that of the waiter who was to join, and by which
// channel?
OpStep CreateOp::OnSideFound(OpScope& scope, std::optional<uint32_t> id) {
  Membership& members = scope.members;
  if (id && *id != scope.key.id) {
    scope.effects.Defer([refused = std::move(refused), other = *id] {
      refused(CreateRefusal::kSideElsewhere, other);
    });
    ReleaseId(*this, scope);
    return OpDone{};
  }
  // Of an earlier channel, as a load has shown.
  if (id && scope.op.attempts > 0) return Refuse(scope, EndedError(ChannelRecord()));
  if (id) return TryAgainAfterLoad(scope);
  const std::string chosen = members.waiters().chosen();
  if (!chosen.empty()) members.DismissWaiter(chosen, SideInUse(), scope.effects);
  return TryAgain(scope);
}

// --- Claim. ---

bool ClaimOp::AssumeCached(OpScope& scope) {
  if (scope.loads.blank()) {
    auto cached = scope.context.store().Cached(scope.key);
    if (!cached) return false;
    scope.loads.Assume();
    scope.members.Adopt(*std::move(cached), scope.effects);
  }
  return scope.loads.known();
}

OpStep ClaimOp::Run(OpScope& scope) {
  if (opener.stream->over()) return OpDone{};
  if (optimistic) return RunOptimistically(scope);
  Membership& members = scope.members;
  // A channel whose id was drawn is somebody else's: two who agreed on that id before wait until it
  // is free.
  if (waits && !members.AcceptsWaiters() && !members.HasMember(opener.side)) {
    members.AddWaiter({.stream = opener.stream, .side = opener.side, .cursor = opener.cursor},
                      scope.channel, scope.effects);
    return OpDone{};
  }
  if (!members.exists()) {
    scope.context.OnClaimFailed(opener.stream->origin());
    return Refuse(scope, NeverAllocated(scope.key.id));
  }
  absl::StatusOr<ChannelRecord> next =
      Claim(members.record(), opener.side, scope.context.wall_now());
  if (!next.ok()) {
    scope.context.OnClaimFailed(opener.stream->origin());
    if (error::ReasonOf(next.status()) == error::ErrorDetail::REASON_CROWDED) {
      members.ReportThirdParties(1, scope.effects);
      members.Tell(ChannelEvent::Kind::kCrowded, scope.effects);
    }
    return Refuse(scope, next.status());
  }
  if (*next == members.record()) {
    scope.Attach(Role::kReceiver, {.stream = opener.stream, .cursor = opener.cursor});
    return OpDone{};
  }
  return OpPut{.next = *std::move(next), .options = {.attached = RoleSet(Role::kReceiver)}};
}

// A claim that joins the channel is a change, and that is all that goes without a load.
OpStep ClaimOp::RunOptimistically(OpScope& scope) {
  const ChannelRecord& record = scope.members.record();
  if (scope.members.exists() && (!waits || scope.members.AcceptsWaiters())) {
    absl::StatusOr<ChannelRecord> next = Claim(record, opener.side, scope.context.wall_now());
    if (next.ok() && *next != record) {
      return OpPut{.next = *std::move(next),
                   .options = {.attached = RoleSet(Role::kReceiver), .read_back = true}};
    }
  }
  optimistic = false;
  scope.op.needs_load = scope.loads.RequireReload();
  return OpAgain{};
}

OpStep ClaimOp::OnPut(OpScope& scope, ChannelRecord next) {
  Membership& members = scope.members;
  members.SetRecord(std::move(next), scope.effects);
  members.Tell(ChannelEvent::Kind::kClaimed, scope.effects);
  // What the client is told has to be as new as a load would be.
  if (!optimistic || members.AdoptReadBack(scope.effects)) {
    scope.Attach(Role::kReceiver,
                 {.stream = opener.stream, .cursor = opener.cursor, .published = true});
    return Through(scope);
  }
  members.PublishPresence(Role::kReceiver, false, scope.effects);  // until it is attached
  optimistic = false;
  scope.op.needs_load = scope.loads.RequireReload();
  members.ReportId();
  return OpAgain{};
}

// Another relay may have attached it here a moment ago, which a load shows. Otherwise a side that
// is of this id is of an earlier channel, and this claim is a late copy of what it said to that
// one.
OpStep ClaimOp::OnSideFound(OpScope& scope, std::optional<uint32_t> id) {
  if (id != scope.key.id) return Refuse(scope, SideInUse());
  if (scope.op.attempts > 0) return Refuse(scope, EndedError(ChannelRecord()));
  optimistic = false;
  return TryAgainAfterLoad(scope);
}

// --- Resume. ---

OpStep ResumeOp::Run(OpScope& scope) {
  if (!scope.members.exists()) {
    // An allocation whose channel has gone between two loads begins again.
    return Refuse(scope,
                  allocates ? Busy(scope.context.RetryDelay()) : NeverAllocated(scope.key.id));
  }
  return Resume(scope, opener, /*initiator_only=*/allocates);
}

// --- Close. ---

OpStep CloseOp::Run(OpScope& scope) {
  Membership& members = scope.members;
  // Another channel has taken the id before this one could be closed.
  if (members.record().member(role).side != side) return Refuse(scope, EndedError(ChannelRecord()));
  absl::StatusOr<ChannelRecord> next =
      Close(members.record(), role, mood, scope.context.wall_now(), scope.context.options().limits);
  if (!next.ok()) return Refuse(scope, next.status());
  if (*next == members.record()) {  // a side that had left before closes again
    EndStream(scope);
    return OpDone{};
  }
  // Of another tenure it is what another peer has posted.
  accepted = tenure == members.tenure() ? tenure->members[role].cursor : 0;
  OpPut put{.next = *std::move(next)};
  put.options.accepted[Other(role)] = accepted;
  return put;
}

OpStep CloseOp::OnPut(OpScope& scope, ChannelRecord next) {
  Membership& members = scope.members;
  EndStream(scope);
  // The answer to the side's last acknowledgement may come later than this one, and a post that it
  // has accepted would be refused.
  LogState& read = tenure->snapshot.log(Other(role));
  read = RaiseAccepted(read, accepted);
  members.SetRecord(std::move(next), scope.effects);
  if (members.record().ended()) members.Tell(ChannelEvent::Kind::kClosed, scope.effects);
  return Through(scope);
}

// The stream that closed ends well, also when the channel ends with it.
void CloseOp::EndStream(OpScope& scope) {
  scope.effects.End(stream, absl::OkStatus());
  if (scope.members.member(role).here.stream == stream) scope.members.Detach(role, scope.effects);
}

// --- Due. ---

OpStep DueOp::Run(OpScope& scope) {
  erasing = false;
  if (!scope.members.exists()) return OpDone{};
  ChannelRecord next = scope.members.record();
  switch (JudgeDue(next, scope.context.wall_now(), scope.context.options().limits)) {
    case DueAction::kNothing:
      break;
    case DueAction::kPut:
      return OpPut{.next = std::move(next)};
    case DueAction::kErase:
      erasing = true;
      return OpErase{.version = next.version};
  }
  return OpDone{};
}

OpStep DueOp::OnPut(OpScope& scope, ChannelRecord next) {
  scope.members.SetRecord(std::move(next), scope.effects);
  if (scope.members.record().life == Life::kExpired) {
    scope.members.Tell(ChannelEvent::Kind::kExpired, scope.effects);
  }
  return Through(scope);
}

// --- Admit waiters. ---

// The first waiter claims. If a receiver has joined at another relay, its stream is admitted if it
// waits here, and the others come too late.
OpStep AdmitWaitersOp::Run(OpScope& scope) {
  Membership& members = scope.members;
  if (!members.AcceptsWaiters()) return OpDone{};
  const std::string first =
      members.ChooseWaiter(members.record().member(Role::kInitiator).side, scope.effects);
  if (first.empty()) return OpDone{};
  if (const std::string receiver = members.record().member(Role::kReceiver).side;
      !receiver.empty()) {
    AdmitWaiters(scope, receiver, /*published=*/false);
    return OpDone{};
  }
  absl::StatusOr<ChannelRecord> next = Claim(members.record(), first, scope.context.wall_now());
  if (!next.ok()) return OpDone{};  // its time has just ended: they wait for another
  return OpPut{.next = *std::move(next), .options = {.attached = RoleSet(Role::kReceiver)}};
}

OpStep AdmitWaitersOp::OnPut(OpScope& scope, ChannelRecord next) {
  Membership& members = scope.members;
  members.SetRecord(std::move(next), scope.effects);
  members.Tell(ChannelEvent::Kind::kClaimed, scope.effects);
  AdmitWaiters(scope, members.waiters().chosen(), /*published=*/true);
  return Through(scope);
}

// --- Any of them. ---

std::shared_ptr<StreamAttachment> ChannelOp::stream() const {
  if (const auto* create = std::get_if<CreateOp>(&what)) return create->opener.stream;
  if (const auto* claim = std::get_if<ClaimOp>(&what)) return claim->opener.stream;
  if (const auto* resume = std::get_if<ResumeOp>(&what)) return resume->opener.stream;
  if (const auto* close = std::get_if<CloseOp>(&what)) return close->stream;
  return nullptr;
}

void ChannelOp::Prepare(OpScope& scope) {
  if (const auto* create = std::get_if<CreateOp>(&what); create && create->believed_free) {
    // If the id is in use after all, the store refuses the record.
    if (scope.loads.blank()) scope.loads.Assume();
    return;
  }
  if (!scope.context.shared()) return;
  if (auto* claim = std::get_if<ClaimOp>(&what); claim && claim->AssumeCached(scope)) {
    claim->optimistic = true;
    return;
  }
  // The client may have been at another relay, and been told more there than is known here. What is
  // due may have been seen to by another relay.
  needs_load = scope.loads.RequireReload();
}

OpStep ChannelOp::Run(OpScope& scope) {
  return std::visit([&](auto& op) { return op.Run(scope); }, what);
}

OpStep ChannelOp::OnPut(OpScope& scope, ChannelRecord next) {
  return std::visit(
      [&](auto& op) -> OpStep {
        if constexpr (std::is_same_v<std::decay_t<decltype(op)>, ResumeOp>) {
          return OpDone{};  // it stores nothing
        } else {
          return op.OnPut(scope, std::move(next));
        }
      },
      what);
}

OpStep ChannelOp::OnStale(OpScope& scope) {
  if (auto* claim = std::get_if<ClaimOp>(&what)) claim->optimistic = false;
  // What a side that closes is told is true of any record that the channel has had: a newer one
  // that the store has cached will do.
  if (std::holds_alternative<CloseOp>(what) && scope.loads.current() &&
      scope.members.AdoptCached(scope.effects)) {
    return TryAgain(scope);
  }
  return TryAgainAfterLoad(scope);
}

OpStep ChannelOp::OnSideTaken(OpScope& scope) {
  if (const auto* create = std::get_if<CreateOp>(&what)) return OpFindSide{create->opener.side};
  if (const auto* claim = std::get_if<ClaimOp>(&what)) return OpFindSide{claim->opener.side};
  if (std::holds_alternative<AdmitWaitersOp>(what)) {
    const std::string chosen = scope.members.waiters().chosen();
    scope.members.DismissWaiter(chosen, SideInUse(), scope.effects);
  }
  return TryAgain(scope);  // the others bring no new side
}

OpStep ChannelOp::OnSideFound(OpScope& scope, std::optional<uint32_t> id) {
  if (auto* create = std::get_if<CreateOp>(&what)) return create->OnSideFound(scope, id);
  if (auto* claim = std::get_if<ClaimOp>(&what)) return claim->OnSideFound(scope, id);
  return TryAgain(scope);  // the others do not ask
}

void ChannelOp::Abandon(OpScope& scope) {
  if (const auto stream = this->stream()) {
    scope.effects.End(stream, StoreAway(scope.context.RetryDelay()));
  }
  if (const auto* create = std::get_if<CreateOp>(&what)) {
    ReleaseId(*create, scope);
  }
  // The store may have forgotten it all the same, and would never list it again. If it has not, it
  // refuses the id to whoever draws it. A shared one tells of what calls have done that had failed.
  const auto* due = std::get_if<DueOp>(&what);
  if (due != nullptr && due->erasing && !scope.context.shared()) {
    scope.context.SetId(scope.key, IdState::kFree);
  }
}

}  // namespace wormhole::relay
