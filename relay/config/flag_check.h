// What no single flag shows: limits that contradict each other, half a TLS setup.
#ifndef WORMHOLE_RELAY_CONFIG_FLAG_CHECK_H_
#define WORMHOLE_RELAY_CONFIG_FLAG_CHECK_H_

#include "absl/status/status.h"
#include "relay/config/config.h"

namespace wormhole::relay {

// INVALID_ARGUMENT with one line that names the flags, unless the values go together.
absl::Status CheckTogether(const RelayConfig& config);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CONFIG_FLAG_CHECK_H_
