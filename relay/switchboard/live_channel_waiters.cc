// Who waits at a live channel, and how they join it.
#include <algorithm>
#include <utility>

#include "relay/switchboard/live_channel.h"
#include "relay/switchboard/refusals.h"
#include "relay/switchboard/responses.h"

namespace wormhole::relay {

namespace {

// Of one id. Only one can be joined, and each costs the allocation a look; two or three are honest.
constexpr size_t kMaxWaiters = 16;

}  // namespace

bool LiveChannel::Joinable() const {
  const ChannelRecord& record = this->record();
  return record.version != 0 && record.named && !record.ended() &&
         registry_->wall_now() < record.due_at;
}

// Before whoever else is to have a look at it: they came first.
void LiveChannel::QueueWaiters() {
  if (waiters_.empty() || !Joinable()) return;
  if (!ops_.empty() && ops_.front().kind == ChannelOp::Kind::kSeatWaiters) return;
  ops_.push_front({.kind = ChannelOp::Kind::kSeatWaiters});
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

void LiveChannel::ForgetChosen(ChannelOp& op, Turn& turn) {
  op.chosen.clear();
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
void LiveChannel::SeatWaiters(const std::string& chosen, bool announced, Turn& turn) {
  uint32_t third_parties = 0;
  bool seated = false;
  for (const Waiter& waiter : waiters_) {
    if (waiter.side != chosen) {
      turn.End(waiter.stream, LateWaiter());
      Tell(ChannelEvent::Kind::kCrowded, turn);
      ++third_parties;
      continue;
    }
    SitDown(Role::kReceiver, waiter.stream, waiter.cursor, announced, turn);
    seated = true;
    if (waiter.close) {
      work(Role::kReceiver).close = waiter.close;
      work(Role::kReceiver).close_stream = waiter.stream;
    }
  }
  waiters_.clear();
  if (announced && !chosen.empty() && !seated) Announce(Role::kReceiver, false, turn);  // has gone
  ReportThirdParties(third_parties, turn);
}

}  // namespace wormhole::relay
