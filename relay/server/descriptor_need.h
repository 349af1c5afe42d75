// How many descriptors the relay may come to have open.
#ifndef WORMHOLE_RELAY_SERVER_DESCRIPTOR_NEED_H_
#define WORMHOLE_RELAY_SERVER_DESCRIPTOR_NEED_H_

#include <cstdint>

#include "relay/config/config.h"

namespace wormhole::relay {

// With all connections that its ports take, and what it opens besides. Where the process may have
// fewer, clients are refused before --max-connections is reached.
uint64_t DescriptorsNeeded(const RelayConfig& config);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_DESCRIPTOR_NEED_H_
