#include "relay/config/socket_address.h"

#include <sys/un.h>

#include <algorithm>
#include <optional>

#include "proto/net/address.h"

namespace wormhole::relay {

std::string SocketPath(std::string_view listen) {
  constexpr std::string_view kScheme = "unix:";
  if (!listen.starts_with(kScheme)) return "";
  listen.remove_prefix(kScheme.size());
  if (listen.starts_with("///")) listen.remove_prefix(2);
  return std::string(listen);
}

bool FitsSocketAddress(std::string_view path) {
  const size_t folder = path.rfind('/') + 1;  // 0 without a slash
  return std::max(path.size(), folder + kBindNameSize) < sizeof(sockaddr_un::sun_path);
}

bool IsOfThisMachine(std::string_view listen) {
  if (!SocketPath(listen).empty()) return true;
  std::string_view host = listen.substr(0, listen.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::optional<net::Address> address = net::Address::Parse(host);
  return address && address->loopback();
}

}  // namespace wormhole::relay
