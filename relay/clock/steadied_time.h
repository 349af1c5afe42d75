// A wall clock without its steps: what the machine's has gained since the last look on the one that
// nobody sets, beyond a tolerance, is taken out. Pure; one thread.
#ifndef WORMHOLE_RELAY_CLOCK_STEADIED_TIME_H_
#define WORMHOLE_RELAY_CLOCK_STEADIED_TIME_H_

#include <optional>
#include <utility>

#include "absl/time/time.h"

namespace wormhole::relay {

// How far clocks may be apart, or be set at once, that count as the same.
inline constexpr absl::Duration kClockTolerance = absl::Minutes(1);

// What the machine says at one moment.
struct MachineTime {
  absl::Time wall;
  absl::Duration boot;  // since it was started, the time that it slept included; nobody sets it
};

struct ClockReading {
  absl::Time time;        // what the relay goes by
  absl::Duration offset;  // how far that is ahead of the machine's clock; 0: it is that
  absl::Duration boot;
};

class SteadiedTime {
 public:
  explicit SteadiedTime(const MachineTime& now) : last_(now) {}

  ClockReading Look(const MachineTime& now);
  // By how far the machine's clock was set forward, when that was found by the last Look.
  std::optional<absl::Duration> TakeStep() { return std::exchange(step_, std::nullopt); }
  // The relay's time from now on is so much later.
  void Shift(absl::Duration by);

 private:
  MachineTime last_;
  absl::Duration offset_;
  std::optional<absl::Duration> step_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CLOCK_STEADIED_TIME_H_
