#include "relay/store/etcd/clock_sync.h"

namespace wormhole::relay {

void ClockSync::TakeAll(const std::vector<ClockSighting>& all, bool restored) {
  sync::MutexLock lock(mutex_);
  Follow(clocks_.TakeAll(all, restored, clock_->Read()));
}

void ClockSync::Take(const ClockSighting& one) {
  sync::MutexLock lock(mutex_);
  Follow(clocks_.Take(one, clock_->Read()));
}

void ClockSync::Follow(absl::Duration by) {
  if (by != absl::ZeroDuration()) clock_->Shift(by);
  clock_->SetOutvoted(clocks_.IsOutvoted(clock_->Read()));
}

// Whether the other relays are outvoted depends on what this one tells, so that the relay judges
// anew when that changes.
std::optional<ClockSync::Update> ClockSync::Due(int64_t lease, absl::Duration now) {
  sync::MutexLock lock(mutex_);
  const ClockReading reading = clock_->Read();
  const bool changed = !told_ || told_->lease != lease || told_->report.offset != reading.offset;
  if (!changed && now - told_->at < interval_) return std::nullopt;
  if (changed) Follow(absl::ZeroDuration());
  return Update{
      .report = {.time = reading.time, .offset = reading.offset}, .at = now, .lease = lease};
}

void ClockSync::NoteTold(const Update& update) {
  sync::MutexLock lock(mutex_);
  told_ = update;
}

}  // namespace wormhole::relay
