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
  if (!ops_.empty() && ops_.front().kind == ChannelOp::Kind::kAdmitWaiters) return;
  ops_.push_front({.kind = ChannelOp::Kind::kAdmitWaiters});
}

void LiveChannel::AddWaiter(ChannelOp& op, LockedEffects& effects) {
  if (!op.stream->Bind(shared_from_this())) return;
  DismissWaiter(op.side, Superseded(), effects);
  if (waiters_.size() >= kMaxWaiters) {
    return effects.End(op.stream, TooManyWaiters(registry_->RetryDelay()));
  }
  waiters_.push_back({.stream = op.stream, .side = op.side, .cursor = op.cursor});
  effects.Send(op.stream, WaitingResponse(key_.id, registry_->options()));
  effects.ReadMore(op.stream);
}

std::vector<LiveChannel::Waiter>::iterator LiveChannel::FindWaiter(const Stream& stream) {
  return std::find_if(waiters_.begin(), waiters_.end(),
                      [&stream](const Waiter& waiter) { return waiter.stream == stream; });
}

void LiveChannel::DismissWaiter(const std::string& side, absl::Status status,
                                LockedEffects& effects) {
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    if (waiter->side != side) {
      ++waiter;
      continue;
    }
    effects.End(waiter->stream, status);
    waiter = waiters_.erase(waiter);
  }
}

std::string LiveChannel::ChooseWaiter(const std::string& initiator, LockedEffects& effects) {
  DismissWaiter(initiator, SideInUse(), effects);
  return waiters_.empty() ? std::string() : waiters_.front().side;
}

void LiveChannel::ForgetChosen(ChannelOp& op, LockedEffects& effects) {
  op.chosen.clear();
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    if (!waiter->close) {
      ++waiter;
      continue;
    }
    effects.End(waiter->stream, absl::OkStatus());
    waiter = waiters_.erase(waiter);
  }
}

// The channel that the waiters were waiting for is there: one is in it, the others came too late.
void LiveChannel::AdmitWaiters(const std::string& chosen, bool announced, LockedEffects& effects) {
  uint32_t third_parties = 0;
  bool seated = false;
  for (const Waiter& waiter : waiters_) {
    if (waiter.side != chosen) {
      effects.End(waiter.stream, LateWaiter());
      Tell(ChannelEvent::Kind::kCrowded, effects);
      ++third_parties;
      continue;
    }
    AttachMember(Role::kReceiver, waiter.stream, waiter.cursor, announced, effects);
    seated = true;
    if (waiter.close) {
      work(Role::kReceiver).close = waiter.close;
      work(Role::kReceiver).close_stream = waiter.stream;
    }
  }
  waiters_.clear();
  if (announced && !chosen.empty() && !seated)
    PublishPresence(Role::kReceiver, false, effects);  // has gone
  ReportThirdParties(third_parties, effects);
}

}  // namespace wormhole::relay
