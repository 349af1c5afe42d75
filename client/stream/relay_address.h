// Relay addresses as people write them: gRPC's target syntax, taken apart. Pure.
#ifndef WORMHOLE_CLIENT_STREAM_RELAY_ADDRESS_H_
#define WORMHOLE_CLIENT_STREAM_RELAY_ADDRESS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace wormhole {

struct Endpoint {
  enum class Kind { kName, kIpv4, kIpv6 };
  Kind kind = Kind::kName;
  std::string host;  // without brackets and zone
  std::string zone;  // of a link-local IPv6 address: this machine's interface; or empty
  uint16_t port = 0;

  // `localhost`, 127.0.0.0/8 or ::1.
  bool loopback() const;
  // HOST:PORT, an IPv6 address in brackets and without its zone, which means nothing elsewhere
  // (RFC 6874): for certificates, proxies and the relay.
  std::string HostPort() const;
};

struct RelayAddress {
  bool socket = false;              // unix: or unix-abstract:, with no endpoints
  bool list = false;                // ipv4: or ipv6:
  bool own_resolver = true;         // false: dns://SERVER/ asks that server, not this machine's
  std::vector<Endpoint> endpoints;  // one, or the several of a list

  // Whether everything that it names is on this machine.
  bool loopback() const;
};

// HOST:PORT, dns:HOST:PORT, dns:///HOST:PORT, dns://SERVER/HOST:PORT, ipv4:A:PORT,B:PORT,
// ipv6:[A]:PORT, unix:PATH, unix-abstract:NAME; an IPv6 address goes into brackets and may have a
// zone, [fe80::1%eth0] or [fe80::1%25eth0] as in a URL. INVALID_ARGUMENT for anything else, and for
// what no client can reach: one line that first says what to write. Resolves no name.
absl::StatusOr<RelayAddress> ParseRelayAddress(std::string_view relay);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_RELAY_ADDRESS_H_
