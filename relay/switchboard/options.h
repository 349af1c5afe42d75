// What a switchboard is made of: what operators set, and what it takes from outside.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_OPTIONS_H_
#define WORMHOLE_RELAY_SWITCHBOARD_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/time/time.h"
#include "relay/admission/admission.h"
#include "relay/admission/token_list.h"
#include "relay/channel/id_rules.h"
#include "relay/channel/rules.h"
#include "relay/switchboard/observer.h"

namespace wormhole::relay {

// What the switchboard takes from outside, so that tests run it in virtual time from one seed.
struct SwitchboardEnvironment {
  std::function<absl::Time()> wall_now;                  // expiry
  std::function<absl::Duration()> steady_now;            // heartbeats; from any fixed point
  std::function<uint32_t(uint32_t bound)> random_below;  // uniform in [0, bound); thread-safe
  // Outlives the switchboard, and the store's calls; null: everybody may do everything.
  Admission* admission = nullptr;
  const TokenJudge* tokens = nullptr;       // outlives the switchboard; null: nobody needs a token
  SwitchboardObserver* observer = nullptr;  // outlives the store too; null: nobody watches
};

struct SwitchboardOptions {
  ChannelLimits limits;
  absl::Duration heartbeat = absl::Seconds(20);  // told to clients; silence of 2.5 ends a stream
  std::string motd;
  ChannelCaps channel_caps;
  // Of frames that nobody has accepted, of all channels; 0: no limit. The last quarter is for logs
  // that keep no more than kFewStoredBytes, so that a few channels full to their windows do not
  // keep all others from talking: an exchange without large payloads is smaller.
  uint64_t max_stored_bytes = 0;
  static constexpr uint64_t kFewStoredBytes = 16 << 10;
  // Of both sides of a channel, each frame counted as PostBudget::kFrameCost more; 0: no limit. Who
  // has posted more is not read until it may come.
  uint64_t max_posted_bytes_per_second = 0;
  MinDigits min_digits;
  absl::Duration retry_delay = absl::Seconds(1);  // mean of the delay in STORE_AWAY and in a drain
  // A stream this old, give or take a tenth, is told to come back. By default none is: proxies that
  // need it know their own limits.
  absl::Duration max_stream_age = absl::InfiniteDuration();
  // A stream without Open is ended after this.
  absl::Duration open_timeout = absl::InfiniteDuration();
  // A stream whose client reads nothing for so long, though there is something for it, is ended;
  // and for half of it, it is not.
  absl::Duration write_timeout = absl::InfiniteDuration();
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_OPTIONS_H_
