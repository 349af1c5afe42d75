#include "proto/net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace wormhole::net {
namespace {

constexpr size_t kMappedBytes = 12;  // ten zeros and two times 0xff, before an IPv4 address

int FamilyOf(bool v6) { return v6 ? AF_INET6 : AF_INET; }

}  // namespace

std::optional<Address> Address::Parse(std::string_view text) {
  // inet_pton reads up to a zero.
  if (text.find('\0') != text.npos) return std::nullopt;
  const std::string host(text);
  for (const bool v6 : {false, true}) {
    Address address;
    address.v6_ = v6;
    if (inet_pton(FamilyOf(v6), host.c_str(), address.bytes_.data()) == 1) return address;
  }
  return std::nullopt;
}

Address Address::V4(std::span<const uint8_t, 4> bytes) {
  Address address;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

Address Address::V6(std::span<const uint8_t, 16> bytes) {
  Address address;
  address.v6_ = true;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

Address Address::Unmapped() const {
  const bool mapped =
      v6_ && std::all_of(bytes_.begin(), bytes_.begin() + 10, [](uint8_t b) { return b == 0; }) &&
      bytes_[10] == 0xff && bytes_[11] == 0xff;
  if (!mapped) return *this;
  Address address;
  std::copy(bytes_.begin() + kMappedBytes, bytes_.end(), address.bytes_.begin());
  return address;
}

Address Address::Network(int kept) const {
  Address address = *this;
  for (int bit = std::max(kept, 0); bit < bits(); ++bit) {
    uint8_t& byte = address.bytes_[static_cast<size_t>(bit / 8)];
    byte = static_cast<uint8_t>(byte & ~(0x80 >> (bit % 8)));
  }
  return address;
}

bool Address::unspecified() const {
  const Address plain = Unmapped();
  return plain.Network(0) == plain;
}

bool Address::loopback() const {
  const Address plain = Unmapped();
  if (!plain.v6_) return plain.bytes_[0] == 127;
  return plain.bytes_.back() == 1 && plain.Network(127).unspecified();
}

std::string Address::ToString() const {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(FamilyOf(v6_), bytes_.data(), text, sizeof(text));
}

std::optional<Network> Network::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<Address> address = Address::Parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  Network network{*address, address->bits()};
  if (slash == text.npos) return network;
  const std::string_view bits = text.substr(slash + 1);
  const char* const end = bits.data() + bits.size();
  const auto [read, error] = std::from_chars(bits.data(), end, network.bits);
  const bool good =
      error == std::errc() && read == end && network.bits >= 0 && network.bits <= address->bits();
  return good ? std::optional(network) : std::nullopt;
}

bool Network::Contains(const Address& other) const {
  return other.v6() == address.v6() && other.Network(bits) == address.Network(bits);
}

}  // namespace wormhole::net
