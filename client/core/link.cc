#include "client/core/link.h"

#include <algorithm>
#include <utility>

#include "client/core/schedule.h"
#include "proto/wire/limits.h"

namespace wormhole::core {
namespace {

constexpr absl::Duration kFirstSpacing = absl::Milliseconds(100);
// The least time to the next stream under a relay that asks each stream to come back sooner.
constexpr absl::Duration kDelayedSpacing = absl::Milliseconds(500);
// A stream that was open for so long is no part of a spin: its loss counts as the first.
constexpr absl::Duration kSteady = absl::Minutes(1);
constexpr int kMaxDoublings = 20;
constexpr int kMaxSuperseded = 10;

}  // namespace

Link::Link(Schedule schedule, bool check_in, RandomSource* random)
    : schedule_(std::move(schedule)), check_in_(check_in), random_(random) {}

void Link::Begin(absl::Duration now, absl::Duration elapsed) {
  first_start_ = now - elapsed;
  Down(now, now);
}

void Link::Stop() { phase_ = Phase::kStopped; }

void Link::OnOpening(absl::Duration now) {
  phase_ = Phase::kOpening;
  paid_until_ = std::max(paid_until_, now) + kStreamSpacing;
  opened_ = false;
  draining_.reset();
  heartbeat_interval_ = wire::kDefaultHeartbeat;
  heartbeat_sent_ = now;
  heard_ = now;
}

void Link::OnOpened(bool waiting, absl::Duration interval, absl::Duration now) {
  phase_ = waiting ? Phase::kWaiting : Phase::kAttached;
  if (!opened_) opened_at_ = now;
  opened_ = true;
  const bool sane = interval >= wire::kMinHeartbeat && interval <= wire::kMaxHeartbeat;
  heartbeat_interval_ = sane ? interval : wire::kDefaultHeartbeat;
  heard_ = now;
}

void Link::OnHeard(absl::Duration now) {
  // Before Opened nothing else counts: a relay that only answers heartbeats is as good as silent.
  if (phase_ != Phase::kOpening) heard_ = now;
}

void Link::OnProgress() {
  losses_ = 0;
  superseded_ = 0;
}

void Link::OnDraining(absl::Duration delay) {
  draining_ = std::max(draining_.value_or(delay), delay);
}

void Link::OnHeartbeatSent(absl::Duration now) { heartbeat_sent_ = now; }

void Link::OnLost(absl::Duration now) {
  if (draining_) return OnDelayed(now, *draining_);
  const absl::Duration interval = Interval(now);
  if (!opened_ || check_in_) return Down(now, now + interval);
  Down(now, now + std::min(Spacing(now), interval));
}

void Link::BySchedule(absl::Duration now) { Down(now, now + Interval(now)); }

void Link::OnDelayed(absl::Duration now, absl::Duration delay) {
  const absl::Duration spacing = std::min(Spacing(now), kDelayedSpacing);
  delayed_until_ = now + std::max({delay, spacing, kFirstSpacing});
  Down(now, delayed_until_);
}

bool Link::OnSuperseded(absl::Duration now) {
  Down(now, now + Interval(now));
  return ++superseded_ < kMaxSuperseded;
}

void Link::Hurry(absl::Duration now, absl::Duration cap) {
  cap_ = cap;
  if (phase_ == Phase::kDown) next_try_ = std::max(now, delayed_until_);
}

bool Link::TryDue(absl::Duration now) const { return phase_ == Phase::kDown && now >= Due(); }

bool Link::HeartbeatDue(absl::Duration now) const {
  return has_stream() && now >= heartbeat_sent_ + heartbeat_interval_;
}

bool Link::Silent(absl::Duration now) const { return has_stream() && now >= SilentAt(); }

absl::Duration Link::SilentAt() const {
  if (phase_ == Phase::kOpening) return heard_ + wire::kOpensWithin;
  return heard_ + wire::kSilentHeartbeats * heartbeat_interval_;
}

std::optional<absl::Duration> Link::NextWake() const {
  if (phase_ == Phase::kStopped) return std::nullopt;
  if (phase_ == Phase::kDown) return Due();
  return std::min(heartbeat_sent_ + heartbeat_interval_, SilentAt());
}

absl::Duration Link::Interval(absl::Duration now) {
  constexpr uint32_t kSteps = 1 << 20;
  const double unit = static_cast<double>(random_->Below(kSteps)) / kSteps;
  return std::min(NextInterval(schedule_, now - first_start_, unit), cap_);
}

// The least time from the loss of a stream to the next one: it doubles while there is no progress.
absl::Duration Link::Spacing(absl::Duration now) {
  if (opened_ && now - opened_at_ >= kSteady) losses_ = 0;
  const int doublings = std::min(losses_++ - 1, kMaxDoublings);
  return doublings < 0 ? absl::ZeroDuration() : kFirstSpacing * (int64_t{1} << doublings);
}

// When the schedule, the relay or the last progress asks for it, but within kMaxStreamsPerMinute.
absl::Duration Link::Due() const {
  return std::max(next_try_, paid_until_ - (kStreamBurst - 1) * kStreamSpacing);
}

// Every stream ends here, so that no way to its end forgets a draining relay: such a relay has
// asked all of its clients to stay away for a while, whatever else it says to one of them.
void Link::Down(absl::Duration now, absl::Duration next_try) {
  phase_ = Phase::kDown;
  if (draining_) delayed_until_ = std::max(delayed_until_, now + *draining_);
  draining_.reset();
  next_try_ = std::max(next_try, delayed_until_);
}

}  // namespace wormhole::core
