// The wall clock that the relay's rules use. It follows the machine's clock while that runs, and
// ignores its steps: a clock that somebody sets by more than a minute would end every exchange
// under way, or let in clients that come too late. Relays that share a store all use the same time.
#ifndef WORMHOLE_RELAY_CLOCK_CLOCK_H_
#define WORMHOLE_RELAY_CLOCK_CLOCK_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/time/time.h"
#include "proto/sync/mutex.h"
#include "relay/clock/steadied_time.h"

namespace wormhole::relay {

MachineTime MachineNow();

// A change that the log tells people of.
struct ClockChange {
  enum class Why {
    kSet,       // somebody has set the machine's clock
    kGroup,     // the other relays have another time
    kOutvoted,  // see RelayClock::SetOutvoted
  };
  Why why = Why::kSet;
  // How far the machine's clock was set forward, or the relay's time was.
  absl::Duration by;
  absl::Duration offset;  // as it is now
  bool outvoted = false;  // as it is now
};

// Thread-safe; its lock is a leaf. The relay reads it every few seconds at least: what the
// machine's clock has gained on CLOCK_BOOTTIME since the last reading counts as a step.
class RelayClock {
 public:
  explicit RelayClock(std::function<MachineTime()> machine = &MachineNow);
  RelayClock(const RelayClock&) = delete;
  RelayClock& operator=(const RelayClock&) = delete;

  ClockReading Read() WORMHOLE_EXCLUDES(mutex_);
  absl::Time Now() { return Read().time; }

  // For the store that relays share: from now on they use a time that is so much later.
  void Shift(absl::Duration by) WORMHOLE_EXCLUDES(mutex_);
  // Whether most other relays' machines agree on another time than this machine's. The relay uses
  // the group's time all the same, but is not ready as long as that is so.
  void SetOutvoted(bool outvoted) WORMHOLE_EXCLUDES(mutex_);

  struct State {
    absl::Duration offset;
    uint64_t steps = 0;  // how often the machine's clock was set
    bool outvoted = false;
  };
  State state() WORMHOLE_EXCLUDES(mutex_);

  // The changes since the last call, the oldest first.
  std::vector<ClockChange> TakeChanges() WORMHOLE_EXCLUDES(mutex_);

 private:
  ClockReading ReadLocked() WORMHOLE_REQUIRES(mutex_);
  void Note(ClockChange::Why why, absl::Duration by) WORMHOLE_REQUIRES(mutex_);

  const std::function<MachineTime()> machine_;
  sync::Mutex mutex_;
  SteadiedTime time_ WORMHOLE_GUARDED_BY(mutex_);
  State state_ WORMHOLE_GUARDED_BY(mutex_);
  std::vector<ClockChange> changes_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CLOCK_CLOCK_H_
