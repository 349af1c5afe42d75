#include "relay/client_network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace wormhole::relay {
namespace {

struct Address {
  int family = AF_INET;
  std::array<uint8_t, 16> bytes = {};  // the first four with AF_INET
  std::string port;
};

int HexDigit(char c) {
  if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return -1;
  return absl::ascii_isdigit(static_cast<unsigned char>(c)) ? c - '0'
                                                            : absl::ascii_tolower(c) - 'a' + 10;
}

// gRPC writes brackets and the percent sign of a zone as %5B, %5D and %25.
std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
                        HexDigit(text[i + 2]) >= 0;
    decoded +=
        escape ? static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return decoded;
}

bool IsPort(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

// ::ffff:192.0.2.7
bool IsMapped(const std::array<uint8_t, 16>& bytes) {
  return std::all_of(bytes.begin(), bytes.begin() + 10, [](uint8_t b) { return b == 0; }) &&
         bytes[10] == 0xff && bytes[11] == 0xff;
}

std::optional<Address> ReadAddress(std::string_view peer) {
  const bool v4 = peer.starts_with("ipv4:");
  if (!v4 && !peer.starts_with("ipv6:")) return std::nullopt;
  const std::string text = PercentDecoded(peer.substr(5));
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || !IsPort(std::string_view(text).substr(colon + 1))) {
    return std::nullopt;
  }
  Address address{.family = v4 ? AF_INET : AF_INET6, .port = text.substr(colon + 1)};
  std::string host = text.substr(0, colon);
  if (!v4) {
    if (host.size() < 2 || host.front() != '[' || host.back() != ']') return std::nullopt;
    host = host.substr(1, host.size() - 2);
    host = host.substr(0, host.find('%'));  // the zone is this machine's own
  }
  if (inet_pton(address.family, host.c_str(), address.bytes.data()) != 1) return std::nullopt;
  if (!v4 && IsMapped(address.bytes)) {
    std::copy(address.bytes.begin() + 12, address.bytes.end(), address.bytes.begin());
    address.family = AF_INET;
  }
  return address;
}

std::string WriteHost(const Address& address) {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(address.family, address.bytes.data(), text, sizeof(text));
}

std::string Unnumbered(std::string_view peer) {
  return peer.starts_with("unix:") || peer.starts_with("unix-abstract:") ? "unix" : "unknown";
}

}  // namespace

std::string ClientNetwork(std::string_view peer) {
  std::optional<Address> address = ReadAddress(peer);
  if (!address) return Unnumbered(peer);
  const int kept = address->family == AF_INET ? 3 : 6;
  std::fill(address->bytes.begin() + kept, address->bytes.end(), 0);
  return absl::StrCat(WriteHost(*address), "/", 8 * kept);
}

std::string ClientAddress(std::string_view peer) {
  const std::optional<Address> address = ReadAddress(peer);
  if (!address) return Unnumbered(peer);
  const std::string host = WriteHost(*address);
  return absl::StrCat(address->family == AF_INET ? host : "[" + host + "]", ":", address->port);
}

}  // namespace wormhole::relay
