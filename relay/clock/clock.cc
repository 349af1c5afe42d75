#include "relay/clock/clock.h"

#include <ctime>
#include <optional>
#include <utility>

namespace wormhole::relay {
namespace {

// How many changes wait for TakeChanges.
constexpr size_t kMaxChanges = 16;

timespec ReadClock(clockid_t id) {
  timespec now = {};
  clock_gettime(id, &now);  // fails for an unknown clock only
  return now;
}

}  // namespace

// Reads again when the process stood still between the readings: that would look like a step.
MachineTime MachineNow() {
  for (;;) {
    const absl::Duration before = absl::DurationFromTimespec(ReadClock(CLOCK_BOOTTIME));
    const absl::Time wall = absl::TimeFromTimespec(ReadClock(CLOCK_REALTIME));
    const absl::Duration after = absl::DurationFromTimespec(ReadClock(CLOCK_BOOTTIME));
    if (after - before < absl::Seconds(1)) return {.wall = wall, .boot = after};
  }
}

RelayClock::RelayClock(std::function<MachineTime()> machine)
    : machine_(std::move(machine)), time_(machine_()) {}

ClockReading RelayClock::ReadLocked() {
  const ClockReading reading = time_.Read(machine_());
  state_.offset = reading.offset;
  if (const std::optional<absl::Duration> step = time_.TakeStep()) {
    ++state_.steps;
    Note(ClockChange::Why::kSet, *step);
  }
  return reading;
}

ClockReading RelayClock::Read() {
  sync::MutexLock lock(mutex_);
  return ReadLocked();
}

void RelayClock::Shift(absl::Duration by) {
  sync::MutexLock lock(mutex_);
  ReadLocked();
  time_.Shift(by);
  ReadLocked();
  Note(ClockChange::Why::kGroup, by);
}

void RelayClock::SetOutvoted(bool outvoted) {
  sync::MutexLock lock(mutex_);
  if (outvoted == std::exchange(state_.outvoted, outvoted)) return;
  Note(ClockChange::Why::kOutvoted, absl::ZeroDuration());
}

void RelayClock::Note(ClockChange::Why why, absl::Duration by) {
  if (changes_.size() == kMaxChanges) return;
  changes_.push_back({.why = why, .by = by, .offset = state_.offset, .outvoted = state_.outvoted});
}

RelayClock::State RelayClock::state() {
  sync::MutexLock lock(mutex_);
  ReadLocked();
  return state_;
}

std::vector<ClockChange> RelayClock::TakeChanges() {
  sync::MutexLock lock(mutex_);
  ReadLocked();
  return std::exchange(changes_, {});
}

}  // namespace wormhole::relay
