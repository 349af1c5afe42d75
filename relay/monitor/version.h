// The version of the relay, as --version prints it.
#ifndef WORMHOLE_RELAY_MONITOR_VERSION_H_
#define WORMHOLE_RELAY_MONITOR_VERSION_H_

namespace wormhole::relay {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_VERSION_H_
