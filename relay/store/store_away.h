// The one error of a store that could not do its work.
#ifndef WORMHOLE_RELAY_STORE_STORE_AWAY_H_
#define WORMHOLE_RELAY_STORE_STORE_AWAY_H_

#include <string_view>

#include "absl/status/status.h"

namespace wormhole::relay {

// UNAVAILABLE with the detail STORE_AWAY and the delay after which to try again.
absl::Status StoreAway(std::string_view message);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_STORE_AWAY_H_
