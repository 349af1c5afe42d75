// Makes of a relay's address what gRPC takes. Pure.
#ifndef WORMHOLE_CLIENT_STREAM_ROUTE_H_
#define WORMHOLE_CLIENT_STREAM_ROUTE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/stream/proxy.h"

namespace wormhole {

// One of gRPC's channels.
struct Route {
  std::string target;     // in gRPC's syntax: the relay's, or the proxy's
  std::string authority;  // whom the relay's certificate has to name; empty: gRPC's default
  std::optional<Proxy> proxy;
  std::string connect_to;  // with a proxy: HOST:PORT that the proxy is to connect to
};

// The channels to `relay`: one; or, when a proxy stands before some addresses of a list, one for
// each address, since a proxy leads a channel to one address. They share the authority, which is
// the first address. INVALID_ARGUMENT for what is no address of a relay, or of a proxy on the way.
absl::StatusOr<std::vector<Route>> RoutesTo(std::string_view relay, bool tls,
                                            const ProxySettings& settings);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_ROUTE_H_
