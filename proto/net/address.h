// Addresses of the Internet as text and bytes. Pure.
#ifndef WORMHOLE_PROTO_NET_ADDRESS_H_
#define WORMHOLE_PROTO_NET_ADDRESS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace wormhole::net {

class Address {
 public:
  // 192.0.2.7 or 2001:db8::7, and nothing around it: no port, brackets, zone or blanks.
  static std::optional<Address> Parse(std::string_view text);

  // As sockets and headers have them, the first byte first.
  static Address V4(std::span<const uint8_t, 4> bytes);
  static Address V6(std::span<const uint8_t, 16> bytes);

  bool v6() const { return v6_; }
  int bits() const { return v6_ ? 128 : 32; }

  // An IPv4 address that is written as IPv6, ::ffff:192.0.2.7, as what it is; others as they are.
  Address Unmapped() const;
  // Its first `kept` bits, and zeros: where it is, without who it is there.
  Address Network(int kept) const;

  // 0.0.0.0 or ::, and 127.0.0.0/8 or ::1; written in either way.
  bool unspecified() const;
  bool loopback() const;

  std::string ToString() const;

  friend bool operator==(const Address& a, const Address& b) {
    return a.v6_ == b.v6_ && a.bytes_ == b.bytes_;
  }
  // IPv4 first, then by their bytes.
  friend bool operator<(const Address& a, const Address& b) {
    return std::tie(a.v6_, a.bytes_) < std::tie(b.v6_, b.bytes_);
  }
  template <typename H>
  friend H AbslHashValue(H hash, const Address& address) {
    return H::combine(std::move(hash), address.v6_, address.bytes_);
  }

 private:
  bool v6_ = false;
  std::array<uint8_t, 16> bytes_ = {};  // the first four of IPv4, and zeros
};

// All addresses with the same first bits.
struct Network {
  Address address;
  int bits = 0;

  // 10.0.0.0/8, or an address, which is a network of one. What stands behind the bits does not
  // matter.
  static std::optional<Network> Parse(std::string_view text);

  bool Contains(const Address& other) const;
};

}  // namespace wormhole::net

#endif  // WORMHOLE_PROTO_NET_ADDRESS_H_
