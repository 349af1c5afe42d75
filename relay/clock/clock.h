// The wall clock that the relay's rules go by. It is the machine's as long as that runs: one that
// is set by more than a minute would end every exchange that is under way, or let in who comes too
// late. Over a store that relays share, it is the time that they all go by.
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

// Something that people should know of.
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

// Thread-safe; a leaf among locks. Somebody reads it every few seconds, at least: what the
// machine's clock has gained on the other one since is a step.
class RelayClock {
 public:
  explicit RelayClock(std::function<MachineTime()> machine = &MachineNow);
  RelayClock(const RelayClock&) = delete;
  RelayClock& operator=(const RelayClock&) = delete;

  ClockReading Read() WORMHOLE_EXCLUDES(mutex_);
  absl::Time Now() { return Read().time; }

  // For the store that relays share: they go by a time that is so much later.
  void Shift(absl::Duration by) WORMHOLE_EXCLUDES(mutex_);
  // Whether most other relays' machines agree on another time than this relay's. It goes by the
  // group's time all the same, but clients are better off elsewhere until somebody has looked.
  void SetOutvoted(bool outvoted) WORMHOLE_EXCLUDES(mutex_);

  struct State {
    absl::Duration offset;
    uint64_t steps = 0;  // how often the machine's clock was set
    bool outvoted = false;
  };
  State state() WORMHOLE_EXCLUDES(mutex_);

  // Those since the last call, the oldest first.
  std::vector<ClockChange> TakeChanges() WORMHOLE_EXCLUDES(mutex_);

 private:
  ClockReading Look() WORMHOLE_REQUIRES(mutex_);
  void Note(ClockChange::Why why, absl::Duration by) WORMHOLE_REQUIRES(mutex_);

  const std::function<MachineTime()> machine_;
  sync::Mutex mutex_;
  SteadiedTime time_ WORMHOLE_GUARDED_BY(mutex_);
  State state_ WORMHOLE_GUARDED_BY(mutex_);
  std::vector<ClockChange> changes_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CLOCK_CLOCK_H_
