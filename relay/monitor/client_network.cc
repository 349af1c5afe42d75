#include "relay/monitor/client_network.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "proto/net/address.h"
#include "proto/net/percent.h"

namespace wormhole::relay {
namespace {

struct Peer {
  net::Address address;
  std::string port;
};

bool IsPort(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

std::optional<Peer> ReadPeer(std::string_view peer) {
  const bool v4 = peer.starts_with("ipv4:");
  if (!v4 && !peer.starts_with("ipv6:")) return std::nullopt;
  // gRPC writes brackets and the percent sign of a zone as %5B, %5D and %25.
  const std::string text = net::PercentDecoded(peer.substr(5));
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || !IsPort(std::string_view(text).substr(colon + 1))) {
    return std::nullopt;
  }
  std::string_view host = std::string_view(text).substr(0, colon);
  if (!v4) {
    if (host.size() < 2 || host.front() != '[' || host.back() != ']') return std::nullopt;
    host = host.substr(1, host.size() - 2);
    host = host.substr(0, host.find('%'));  // the zone is this machine's own
  }
  const std::optional<net::Address> address = net::Address::Parse(host);
  if (!address || address->v6() == v4) return std::nullopt;
  return Peer{address->Unmapped(), text.substr(colon + 1)};
}

std::string Unnumbered(std::string_view peer) {
  return peer.starts_with("unix:") || peer.starts_with("unix-abstract:") ? "unix" : "unknown";
}

}  // namespace

std::string ClientNetwork(std::string_view peer) {
  const std::optional<Peer> read = ReadPeer(peer);
  if (!read) return Unnumbered(peer);
  const int kept = read->address.v6() ? 48 : 24;
  return absl::StrCat(read->address.Network(kept).ToString(), "/", kept);
}

std::string ClientAddress(std::string_view peer) {
  const std::optional<Peer> read = ReadPeer(peer);
  if (!read) return Unnumbered(peer);
  const std::string host = read->address.ToString();
  return absl::StrCat(read->address.v6() ? "[" + host + "]" : host, ":", read->port);
}

}  // namespace wormhole::relay
