// When the log says that clients are refused. Pure: the time comes from outside.
#ifndef WORMHOLE_RELAY_MONITOR_REFUSAL_NOTICES_H_
#define WORMHOLE_RELAY_MONITOR_REFUSAL_NOTICES_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace wormhole::relay {

// A line for each refusal would fill the disk of whoever is attacked. So each reason has one line a
// minute, which says how many there were since the one before. Not thread-safe.
class RefusalNotices {
 public:
  static constexpr absl::Duration kPause = absl::Minutes(1);

  // Somebody is refused. How often that has happened since it was said last, this time included, if
  // it is to be said now. `reason` lives as long as this. There are a few of them. `now` never goes
  // back.
  std::optional<uint64_t> Note(std::string_view reason, absl::Time now);

 private:
  struct Reason {
    uint64_t times = 0;
    absl::Time said_at = absl::InfinitePast();
  };

  absl::flat_hash_map<std::string_view, Reason> reasons_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_REFUSAL_NOTICES_H_
