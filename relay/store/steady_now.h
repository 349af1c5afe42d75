// The clock by which stores wait and count time.
#ifndef WORMHOLE_RELAY_STORE_STEADY_NOW_H_
#define WORMHOLE_RELAY_STORE_STEADY_NOW_H_

#include <chrono>

#include "absl/time/time.h"

namespace wormhole::relay {

// The time since a fixed moment, never going back.
inline absl::Duration SteadyNow() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_STEADY_NOW_H_
