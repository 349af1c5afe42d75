#include "relay/accept/peer_name.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "proto/net/percent.h"

namespace wormhole::relay {
namespace {

bool IsPort(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

}  // namespace

std::string PeerName(const net::Address& address, uint16_t port) {
  const net::Address plain = address.Unmapped();
  if (!plain.v6()) return absl::StrCat("ipv4:", plain.ToString(), ":", port);
  return absl::StrCat("ipv6:%5B", plain.ToString(), "%5D:", port);
}

std::optional<NamedPeer> ReadPeerName(std::string_view name) {
  const bool v4 = name.starts_with("ipv4:");
  if (!v4 && !name.starts_with("ipv6:")) return std::nullopt;
  // gRPC writes brackets and the percent sign of a zone as %5B, %5D and %25.
  const std::string text = net::PercentDecoded(name.substr(5));
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
  return NamedPeer{address->Unmapped(), text.substr(colon + 1)};
}

}  // namespace wormhole::relay
