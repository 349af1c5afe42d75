// Whether the environment asks for a proxy on the way to a relay. Pure.
//
// Reads the environment as curl does, so that what works for curl in a network works here:
// https://everything.curl.dev/usingcurl/proxies/env, https://curl.se/docs/manpage.html
// (ENVIRONMENT) and https://curl.se/libcurl/c/CURLOPT_NOPROXY.html. The transport turns
// gRPC's own reading of the environment off: that knows no capitals, no networks and no blanks, and
// goes around a proxy whose address it cannot read.
#ifndef WORMHOLE_CLIENT_STREAM_PROXY_H_
#define WORMHOLE_CLIENT_STREAM_PROXY_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/stream/relay_address.h"

namespace wormhole {

struct ProxySettings {
  struct Variable {
    std::string name;  // for messages
    std::string value;
    bool operator==(const Variable&) const = default;
  };
  // Empty values: no proxy.
  Variable for_tls;
  Variable for_plaintext;
  std::string no_proxy;

  // `get` is std::getenv or the like. A variable that is empty counts as not set. In this order:
  // - grpc_proxy, gRPC's own;
  // - over TLS https_proxy and HTTPS_PROXY; in plaintext http_proxy, in small letters alone, since
  //   a web server hands a client's `Proxy:` header to its CGI programs as HTTP_PROXY;
  // - all_proxy, ALL_PROXY;
  // - the other scheme's. curl would go without a proxy then; gRPC has always taken it, and here
  //   both ways are the same CONNECT.
  // no_grpc_proxy, no_proxy, NO_PROXY.
  static ProxySettings From(const std::function<const char*(const char*)>& get);
};

struct Proxy {
  std::string host;  // IPv6 without brackets
  uint16_t port = 0;
  std::string credentials;  // USER:PASSWORD, decoded: a secret; empty: none

  std::string HostPort() const;
  bool operator==(const Proxy&) const = default;
};

// The proxy on the way to `endpoint`; nothing: go directly, as always to this machine.
// INVALID_ARGUMENT when the proxy's address is none: a way around the proxy would send to the
// network what must not leave without the proxy. The message names the variable, not its value,
// which may hold a password.
absl::StatusOr<std::optional<Proxy>> ProxyFor(const Endpoint& endpoint, bool tls,
                                              const ProxySettings& settings);

// Whether a list like that of $no_proxy names `endpoint`. Items are separated by commas or blanks:
// `*`; a name, which stands for its subdomains too, with or without a dot before it; an address; a
// network, 10.0.0.0/8. Each may have a port, and then stands for that port alone.
bool IsListed(const Endpoint& endpoint, std::string_view no_proxy);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_PROXY_H_
