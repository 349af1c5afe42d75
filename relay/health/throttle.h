// How often the same thing is said, in the log above all.
#ifndef WORMHOLE_RELAY_HEALTH_THROTTLE_H_
#define WORMHOLE_RELAY_HEALTH_THROTTLE_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/time/time.h"

namespace wormhole::relay {

// Lets the first of many alike occurrences through at once, and after that one a minute, with the
// number of those that it stands for. Without it a store that fails, or a client that tries again
// and again, fills the disk with lines. Pure: the time comes from outside. Not thread-safe.
class Throttle {
 public:
  static constexpr absl::Duration kInterval = absl::Minutes(1);

  // It happens at `now`. If it is to be said: how often it has happened since it was said last,
  // this time included. A clock that people set back by more than the interval silences nothing.
  std::optional<uint64_t> Note(absl::Time now) {
    ++times_;
    if (absl::AbsDuration(now - said_at_) < kInterval) return std::nullopt;
    said_at_ = now;
    return std::exchange(times_, 0);
  }

 private:
  uint64_t times_ = 0;  // since it was said last
  absl::Time said_at_ = absl::InfinitePast();
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_HEALTH_THROTTLE_H_
