#include "relay/monitor/client_network.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "relay/accept/peer_name.h"

namespace wormhole::relay {
namespace {

std::string Unnumbered(std::string_view peer) {
  return peer.starts_with("unix:") || peer.starts_with("unix-abstract:") ? "unix" : "unknown";
}

}  // namespace

std::string ClientNetwork(std::string_view peer) {
  const std::optional<NamedPeer> read = ReadPeerName(peer);
  if (!read) return Unnumbered(peer);
  const int kept = read->address.v6() ? 48 : 24;
  return absl::StrCat(read->address.Network(kept).ToString(), "/", kept);
}

std::optional<net::Address> ClientOf(std::string_view peer) {
  const std::optional<NamedPeer> read = ReadPeerName(peer);
  return read ? std::optional(read->address) : std::nullopt;
}

std::string ClientAddress(std::string_view peer) {
  const std::optional<NamedPeer> read = ReadPeerName(peer);
  if (!read) return Unnumbered(peer);
  const std::string host = read->address.ToString();
  return absl::StrCat(read->address.v6() ? "[" + host + "]" : host, ":", read->port);
}

}  // namespace wormhole::relay
