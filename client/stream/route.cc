#include "client/stream/route.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace wormhole {
namespace {

// Escapes as in a URL, since gRPC reads targets as URLs: else a zone's percent sign would escape
// what follows it.
std::string Ipv6Target(const std::vector<Endpoint>& endpoints) {
  std::string target = "ipv6:";
  for (const Endpoint& endpoint : endpoints) {
    absl::StrAppend(&target, target.back() == ':' ? "" : ",", "%5B", endpoint.host,
                    endpoint.zone.empty() ? "" : "%25", endpoint.zone, "%5D:", endpoint.port);
  }
  return target;
}

// All of `relay` in one channel, as the user wrote it.
Route Direct(std::string_view relay, const RelayAddress& address) {
  Route route{.target = std::string(relay)};
  const bool zoned = std::any_of(address.endpoints.begin(), address.endpoints.end(),
                                 [](const Endpoint& one) { return !one.zone.empty(); });
  if (zoned) route.target = Ipv6Target(address.endpoints);
  // gRPC would take a list or a zone as the authority. But no certificate can name a list, and a
  // zone means nothing to the relay.
  if (zoned || address.endpoints.size() > 1) route.authority = address.endpoints[0].HostPort();
  return route;
}

Route ByOne(const Endpoint& endpoint, std::optional<Proxy> proxy, const std::string& authority) {
  Route route{.authority = authority};
  if (proxy.has_value()) {
    route.target = absl::StrCat("dns:///", proxy->HostPort());
    route.connect_to = endpoint.HostPort();
    route.proxy = std::move(proxy);
  } else {
    route.target = endpoint.kind == Endpoint::Kind::kIpv6
                       ? Ipv6Target({endpoint})
                       : absl::StrCat("ipv4:", endpoint.HostPort());
  }
  return route;
}

}  // namespace

absl::StatusOr<std::vector<Route>> RoutesTo(std::string_view relay, bool tls,
                                            const ProxySettings& settings) {
  const absl::StatusOr<RelayAddress> address = ParseRelayAddress(relay);
  if (!address.ok()) return address.status();
  std::vector<std::optional<Proxy>> proxies;
  for (const Endpoint& endpoint : address->endpoints) {
    auto proxy = ProxyFor(endpoint, tls, settings);
    if (!proxy.ok()) return proxy.status();
    proxies.push_back(*std::move(proxy));
  }
  const bool direct = std::none_of(proxies.begin(), proxies.end(),
                                   [](const auto& proxy) { return proxy.has_value(); });
  if (direct) return std::vector<Route>{Direct(relay, *address)};
  const std::string authority = address->endpoints[0].HostPort();
  std::vector<Route> routes;
  for (size_t i = 0; i < proxies.size(); ++i) {
    routes.push_back(ByOne(address->endpoints[i], std::move(proxies[i]), authority));
  }
  return routes;
}

}  // namespace wormhole
