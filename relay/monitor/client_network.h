// Where a client is, as a log may show it. Pure.
#ifndef WORMHOLE_RELAY_MONITOR_CLIENT_NETWORK_H_
#define WORMHOLE_RELAY_MONITOR_CLIENT_NETWORK_H_

#include <optional>
#include <string>
#include <string_view>

#include "proto/net/address.h"

namespace wormhole::relay {

// `peer` as gRPC writes it: `ipv4:192.0.2.7:50312`, `ipv6:%5B2001:db8::7%5D:50312`. The network is
// of 24 bits or, with IPv6, 48: `192.0.2.0/24`, `2001:db8::/48`. An IPv4 address that is written
// as IPv6 is an IPv4 address. `unix` for a socket in the file system, `unknown` for anything else.
std::string ClientNetwork(std::string_view peer);

// None for `unix` and `unknown`.
std::optional<net::Address> ClientOf(std::string_view peer);

// The whole of it: `192.0.2.7:50312`, `[2001:db8::7]:50312`.
std::string ClientAddress(std::string_view peer);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_CLIENT_NETWORK_H_
