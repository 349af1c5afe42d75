#ifndef WORMHOLE_PROTO_WIRE_PROTOCOL_NAME_H_
#define WORMHOLE_PROTO_WIRE_PROTOCOL_NAME_H_

#include <string_view>

namespace wormhole::wire {

// The string P of PROTOCOL.md section 3: the first field of everything that is hashed or
// authenticated, so that nothing made for another protocol (or another major version) fits here.
inline constexpr std::string_view kProtocolName = "wormhole-sync/1";

}  // namespace wormhole::wire

#endif  // WORMHOLE_PROTO_WIRE_PROTOCOL_NAME_H_
