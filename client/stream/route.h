// From a relay's address to what gRPC is told. Pure.
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
  std::string authority;  // whom the relay's certificate has to name; empty: gRPC's own idea
  std::optional<Proxy> proxy;
  std::string connect_to;  // with a proxy: HOST:PORT that it is asked for
};

// How to get to `relay`: in one channel, or, when a proxy stands before some of the addresses of a
// list, in one for each of them, since a channel is led to one address by its proxy. They share the
// authority, which is the first address. INVALID_ARGUMENT for what is no address of a relay, or of
// a proxy that would be used.
absl::StatusOr<std::vector<Route>> RoutesTo(std::string_view relay, bool tls,
                                            const ProxySettings& settings);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_ROUTE_H_
