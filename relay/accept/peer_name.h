// The other end of a connection, as gRPC writes it: `ipv4:192.0.2.7:50312`,
// `ipv6:%5B2001:db8::7%5D:50312`. Pure.
#ifndef WORMHOLE_RELAY_ACCEPT_PEER_NAME_H_
#define WORMHOLE_RELAY_ACCEPT_PEER_NAME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/net/address.h"

namespace wormhole::relay {

struct NamedPeer {
  net::Address address;
  std::string port;
};

std::string PeerName(const net::Address& address, uint16_t port);

// Nothing for those who have no address: a socket at a path, and what is no peer's name. IPv4 in
// IPv6 is IPv4, and a zone, which is this machine's own, is left out.
std::optional<NamedPeer> ReadPeerName(std::string_view name);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_ACCEPT_PEER_NAME_H_
