// A machine's clock that a test sets, for the RelayClock of a relay in the test's process.
#ifndef WORMHOLE_RELAY_CLOCK_TESTING_MACHINE_CLOCK_H_
#define WORMHOLE_RELAY_CLOCK_TESTING_MACHINE_CLOCK_H_

#include <atomic>
#include <cstdint>
#include <functional>

#include "absl/time/time.h"
#include "relay/clock/clock.h"

namespace wormhole::relay {

// Thread-safe. Runs as the true one does, `ahead` of it. In whole seconds.
class MachineClock {
 public:
  explicit MachineClock(absl::Duration ahead = absl::ZeroDuration())
      : ahead_(absl::ToInt64Seconds(ahead)) {}
  MachineClock(const MachineClock&) = delete;
  MachineClock& operator=(const MachineClock&) = delete;

  // Somebody sets it.
  void Set(absl::Duration forward) { ahead_ += absl::ToInt64Seconds(forward); }

  // What RelayClock reads. This outlives it.
  std::function<MachineTime()> reader() const {
    return [this] {
      MachineTime now = MachineNow();
      now.wall += absl::Seconds(ahead_.load());
      return now;
    };
  }

 private:
  std::atomic<int64_t> ahead_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CLOCK_TESTING_MACHINE_CLOCK_H_
