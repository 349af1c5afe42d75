#include "relay/clock/steadied_time.h"

namespace wormhole::relay {

// Slews and small steps are followed: they are how a clock is kept right. What is left of a large
// step that was taken back is followed, too, as soon as it is small.
ClockReading SteadiedTime::Read(const MachineTime& now) {
  const absl::Duration gained = (now.wall - last_.wall) - (now.boot - last_.boot);
  last_ = now;
  if (absl::AbsDuration(gained) > kClockTolerance) {
    step_ = gained;
    Shift(-gained);
  }
  return {.time = now.wall + offset_, .offset = offset_, .boot = now.boot};
}

void SteadiedTime::Shift(absl::Duration by) {
  offset_ += by;
  if (absl::AbsDuration(offset_) <= kClockTolerance) offset_ = absl::ZeroDuration();
}

}  // namespace wormhole::relay
