// When the log says that clients are refused. Pure: the time comes from outside.
#ifndef WORMHOLE_RELAY_MONITOR_REFUSAL_NOTICES_H_
#define WORMHOLE_RELAY_MONITOR_REFUSAL_NOTICES_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "relay/health/throttle.h"

namespace wormhole::relay {

// A Throttle for each reason, so that a flood of refusals for one limit hides no other limit. Not
// thread-safe.
class RefusalNotices {
 public:
  // Somebody is refused: as Throttle::Note. `reason` lives as long as this. There are a few of
  // them.
  std::optional<uint64_t> Note(std::string_view reason, absl::Time now) {
    return reasons_[reason].Note(now);
  }

 private:
  absl::flat_hash_map<std::string_view, Throttle> reasons_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_REFUSAL_NOTICES_H_
