// What a proxy says of the client for which it connects: the PROXY protocol, versions 1 and 2.
// Pure.
//
// From HAProxy's specification (doc/proxy-protocol.txt), section 2:
//
//   1, text, at most 107 bytes with its CRLF:
//     PROXY TCP4 192.0.2.7 198.51.100.1 50312 443\r\n
//     PROXY TCP6 2001:db8::7 2001:db8::1 50312 443\r\n
//     PROXY UNKNOWN[ anything]\r\n
//   2, binary:
//     12 bytes  \r \n \r \n \0 \r \n Q U I T \n
//      1 byte   version (2) in the high half; command: 0 LOCAL, 1 PROXY
//      1 byte   family in the high half (0 unspecified, 1 IPv4, 2 IPv6, 3 unix), and
//               transport (0 unspecified, 1 stream, 2 datagram)
//      2 bytes  the length of what follows, the high byte first
//               addresses: source, destination; ports: source, destination; then TLVs
//
// LOCAL, UNKNOWN and unspecified stand for a connection of the proxy itself, such as a check of
// health: its real addresses count, and what the header says beside is skipped.
#ifndef WORMHOLE_RELAY_ACCEPT_PROXY_HEADER_H_
#define WORMHOLE_RELAY_ACCEPT_PROXY_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proto/net/address.h"

namespace wormhole::relay {

// The longest header that is taken. Those of version 2 may be longer; TLVs that proxies send are a
// few hundred bytes.
inline constexpr size_t kMaxProxyHeader = 4096;

struct ProxyHeader {
  enum class Kind {
    kIncomplete,  // more has to come before anything can be said
    kNone,        // this is no header: something else begins here
    kMalformed,   // it begins like a header and is none, or names a client without an address
    kLocal,       // the proxy's own
    kClient,      // for `client`
  };
  Kind kind = Kind::kIncomplete;
  size_t size = 0;  // of the header, with kLocal and kClient
  net::Address client;
  uint16_t port = 0;  // the client's
};

// `begin`: what has come so far.
ProxyHeader ParseProxyHeader(std::string_view begin);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_ACCEPT_PROXY_HEADER_H_
