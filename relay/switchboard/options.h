// What a switchboard is made of: what operators set, and what it takes from outside.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_OPTIONS_H_
#define WORMHOLE_RELAY_SWITCHBOARD_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/time/time.h"
#include "relay/channel/rules.h"
#include "relay/switchboard/observer.h"

namespace wormhole::relay {

// What the switchboard takes from outside, so that tests run it in virtual time from one seed.
struct SwitchboardEnvironment {
  std::function<absl::Time()> wall_now;                  // expiry
  std::function<absl::Duration()> steady_now;            // heartbeats; from any fixed point
  std::function<uint32_t(uint32_t bound)> random_below;  // uniform in [0, bound); thread-safe
  SwitchboardObserver* observer = nullptr;  // outlives the store too; null: nobody watches
};

struct SwitchboardOptions {
  ChannelLimits limits;
  absl::Duration heartbeat = absl::Seconds(20);  // told to clients; silence of 2.5 ends a stream
  std::string motd;
  absl::Duration retry_delay = absl::Seconds(1);  // mean of the delay in STORE_AWAY and in a drain
  // A stream this old, give or take a tenth, is told to come back. By default none is: proxies that
  // need it know their own limits.
  absl::Duration max_stream_age = absl::InfiniteDuration();
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_OPTIONS_H_
