// A path in the file system as a relay's address: unix:PATH. Pure.
#ifndef WORMHOLE_RELAY_CONFIG_SOCKET_ADDRESS_H_
#define WORMHOLE_RELAY_CONFIG_SOCKET_ADDRESS_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace wormhole::relay {

// PATH of unix:PATH and unix:///PATH; empty for anything else.
std::string SocketPath(std::string_view listen);

// Of the name under which a socket is bound before it is moved to its place (socket_file.h).
// Shorter than most sockets' own.
inline constexpr size_t kBindNameSize = 8;

// Whether the kernel's address of a socket has room for the path, and for such a name in its place.
bool FitsSocketAddress(std::string_view path);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CONFIG_SOCKET_ADDRESS_H_
