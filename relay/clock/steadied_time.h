// A wall clock without its steps: it takes out what the machine's clock has gained, since the last
// Read and beyond a tolerance, on the clock that nobody sets. Pure; one thread.
#ifndef WORMHOLE_RELAY_CLOCK_STEADIED_TIME_H_
#define WORMHOLE_RELAY_CLOCK_STEADIED_TIME_H_

#include <optional>
#include <utility>

#include "absl/time/time.h"

namespace wormhole::relay {

// Clocks that are less than this apart, or are set by less at once, count as the same.
inline constexpr absl::Duration kClockTolerance = absl::Minutes(1);

// What the machine says at one moment.
struct MachineTime {
  absl::Time wall;
  absl::Duration
      boot;  // CLOCK_BOOTTIME: since its start, with the time that it slept; nobody sets it
};

struct ClockReading {
  absl::Time time;        // what the relay's rules use
  absl::Duration offset;  // how far `time` is ahead of the machine's clock
  absl::Duration boot;
};

class SteadiedTime {
 public:
  explicit SteadiedTime(const MachineTime& now) : last_(now) {}

  ClockReading Read(const MachineTime& now);
  // How far the machine's clock was set forward, if the last Read found that it was.
  std::optional<absl::Duration> TakeStep() { return std::exchange(step_, std::nullopt); }
  // From now on the relay's time is so much later.
  void Shift(absl::Duration by);

 private:
  MachineTime last_;
  absl::Duration offset_;
  std::optional<absl::Duration> step_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CLOCK_STEADIED_TIME_H_
