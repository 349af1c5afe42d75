// A path in the file system as a relay's address: unix:PATH. Pure.
#ifndef WORMHOLE_RELAY_CONFIG_SOCKET_ADDRESS_H_
#define WORMHOLE_RELAY_CONFIG_SOCKET_ADDRESS_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace wormhole::relay {

// PATH of unix:PATH and unix:///PATH; empty for anything else.
std::string SocketPath(std::string_view listen);

// The length of the name under which the relay binds a socket before it moves the socket to its
// place (socket_file.h). Shorter than most sockets' own names.
inline constexpr size_t kBindNameSize = 8;

// Whether the kernel's address of a socket has room for `path`, and for a name of kBindNameSize in
// the same folder.
bool FitsSocketAddress(std::string_view path);

// Whether ADDRESS:PORT or unix:PATH can be reached from this machine alone. Not of a name.
bool IsOfThisMachine(std::string_view listen);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CONFIG_SOCKET_ADDRESS_H_
