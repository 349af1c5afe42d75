// Who sits and waits at a live channel.
#include <algorithm>
#include <utility>

#include "relay/live_channel.h"
#include "relay/refusals.h"
#include "relay/responses.h"

namespace wormhole::relay {

using rendezvous::v1::Presence;

namespace {

// Of one id. Only one can be joined, and each costs the allocation a look; two or three are honest.
constexpr size_t kMaxWaiters = 16;

}  // namespace

bool LiveChannel::SitDown(Role role, const Stream& stream, uint64_t cursor, Turn& turn) {
  const bool was_waiting = FindWaiter(stream) != waiters_.end();
  if (!stream->Bind(shared_from_this())) return false;
  if (seat(role).stream) turn.End(seat(role).stream, Superseded());
  const LogState& peer_log = snapshot_.log(Other(role));
  const uint32_t missed = std::exchange(work(role).missed_third_parties, 0);
  seat(role) = {.stream = stream,
                .sent = cursor,
                .deaf = (cursor < peer_log.forgotten),
                .third_parties = missed,
                .owes_status = (missed > 0)};
  seat(Other(role)).owes_status = true;
  turn.Send(stream, OpenedResponse(key_.id, snapshot_, role, PresenceOf(Other(role)),
                                   registry_->options()));
  seat(role).owes_read = !was_waiting;
  RaiseCursor(role, cursor, turn);
  return true;
}

void LiveChannel::Vacate(Role role) {
  seat(role) = {};
  seat(Other(role)).owes_status = true;
}

void LiveChannel::Fail(Role role, const Stream& stream, absl::Status status, Turn& turn) {
  turn.End(stream, std::move(status));
  if (seat(role).stream == stream) Vacate(role);
  Work& asked = work(role);
  asked.posts.DropHeld(stream.get());
  if (asked.close_stream == stream) {
    asked.close_stream = nullptr;
    asked.close.reset();
  }
}

Presence LiveChannel::PresenceOf(Role role) const {
  const Member& member = snapshot_.record.member(role);
  if (member.side.empty()) return rendezvous::v1::PRESENCE_ABSENT;
  if (member.left) return rendezvous::v1::PRESENCE_LEFT;
  return seats_[static_cast<size_t>(role)].stream ? rendezvous::v1::PRESENCE_ATTACHED
                                                  : rendezvous::v1::PRESENCE_DETACHED;
}

void LiveChannel::CountThirdParties(uint32_t count) {
  if (count == 0) return;
  for (Role role : {Role::kInitiator, Role::kReceiver}) {
    Seat& member = seat(role);
    (member.stream ? member.third_parties : work(role).missed_third_parties) += count;
    member.owes_status = true;
  }
}

void LiveChannel::SetRecord(ChannelRecord next, Turn& turn) {
  snapshot_.record = std::move(next);
  rejudge_.set();
  if (snapshot_.record.version == 0 || snapshot_.record.ended()) {
    StartAnew(EndedError(snapshot_.record), turn);
  }
}

void LiveChannel::StartAnew(const absl::Status& status, Turn& turn) {
  ++epoch_;
  for (Seat& member : seats_) {
    if (member.stream) turn.End(member.stream, status);
    member = {};
  }
  for (Work& asked : work_) asked = {};
  snapshot_.logs = {};
}

void LiveChannel::ReportId() {
  const ChannelRecord& record = snapshot_.record;
  registry_->SetId(key_, record.version == 0 ? IdState::kFree
                         : record.ended()    ? IdState::kResting
                                             : IdState::kTaken);
}

void LiveChannel::ReleaseId(const ChannelOp& op) {
  if (informed_) return ReportId();
  if (op.create.named) return;  // was not drawn
  registry_->SetId(key_, op.create.may_replace ? IdState::kResting : IdState::kFree);
}

void LiveChannel::AddWaiter(ChannelOp& op, Turn& turn) {
  if (!op.stream->Bind(shared_from_this())) return;
  DismissWaiter(op.side, Superseded(), turn);
  if (waiters_.size() >= kMaxWaiters) {
    return turn.End(op.stream, TooManyWaiters(registry_->RetryDelay()));
  }
  waiters_.push_back({.stream = op.stream, .side = op.side, .cursor = op.cursor});
  turn.Send(op.stream, WaitingResponse(key_.id, registry_->options()));
  turn.ReadMore(op.stream);
}

std::vector<LiveChannel::Waiter>::iterator LiveChannel::FindWaiter(const Stream& stream) {
  return std::find_if(waiters_.begin(), waiters_.end(),
                      [&stream](const Waiter& waiter) { return waiter.stream == stream; });
}

void LiveChannel::DismissWaiter(const std::string& side, absl::Status status, Turn& turn) {
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    if (waiter->side != side) {
      ++waiter;
      continue;
    }
    turn.End(waiter->stream, status);
    waiter = waiters_.erase(waiter);
  }
}

std::string LiveChannel::ChooseWaiter(const std::string& initiator, Turn& turn) {
  DismissWaiter(initiator, SideInUse(), turn);
  return waiters_.empty() ? std::string() : waiters_.front().side;
}

void LiveChannel::ForgetChosen(Turn& turn) {
  chosen_.clear();
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    if (!waiter->close) {
      ++waiter;
      continue;
    }
    turn.End(waiter->stream, absl::OkStatus());
    waiter = waiters_.erase(waiter);
  }
}

// The channel that the waiters were waiting for is there: one is in it, the others came too late.
void LiveChannel::SeatWaiters(const std::string& chosen, Turn& turn) {
  uint32_t third_parties = 0;
  for (const Waiter& waiter : waiters_) {
    if (waiter.side != chosen) {
      turn.End(waiter.stream, LateWaiter());
      ++third_parties;
      continue;
    }
    SitDown(Role::kReceiver, waiter.stream, waiter.cursor, turn);
    if (waiter.close) {
      work(Role::kReceiver).close = waiter.close;
      work(Role::kReceiver).close_stream = waiter.stream;
    }
  }
  waiters_.clear();
  CountThirdParties(third_parties);
}

}  // namespace wormhole::relay
