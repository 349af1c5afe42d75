// Sections 3 and 4 of proto/PROTOCOL.md, written for this suite from the page and libsodium alone:
// a mistake of the product's own code must not be shared by what judges it.
#ifndef WORMHOLE_TESTS_CONFORMANCE_CRYPTO_H_
#define WORMHOLE_TESTS_CONFORMANCE_CRYPTO_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace wormhole::conformance {

inline constexpr char kProtocol[] = "wormhole-sync/1";

enum class Role { kInitiator = 0, kReceiver = 1 };
constexpr Role Other(Role role) {
  return role == Role::kInitiator ? Role::kReceiver : Role::kInitiator;
}
constexpr const char* NameOf(Role role) {
  return role == Role::kInitiator ? "initiator" : "receiver";
}

// Must be called before anything else here. Ends the process when libsodium does not start.
void StartCrypto();

std::string RandomBytes(size_t size);
std::string Lv(std::initializer_list<std::string_view> fields);
// Big-endian.
std::string U64(uint64_t n);
std::string Sha512(std::string_view text);
std::string Hmac512(std::string_view key, std::string_view text);
std::string HkdfExpand(std::string_view prk, std::string_view info, size_t size);

// The side of a token: 16 bytes.
std::string SideOf(std::string_view token);
std::string ChannelInfo(std::string_view app_id, uint32_t channel_id);
// Role, versions (or the one chosen) and side.
std::string AssociatedData(Role role, std::string_view versions, std::string_view side);

std::string RandomScalar();
std::string GeneratorOf(std::string_view words, std::string_view ci, std::string_view sid);
// scalar * point; nothing when that is the identity or `point` is none.
std::optional<std::string> Multiply(std::string_view scalar, std::string_view point);

// What both sides have seen, in the order of the roles.
struct Handshake {
  std::string ci, sid, share_i, ad_i, share_r, ad_r;
};

// What follows from it and K.
class Keys {
 public:
  Keys() = default;
  Keys(const Handshake& handshake, std::string_view k);

  std::string Tag(Role role) const;
  // OKM(label, context, size) of section 3.
  std::string Okm(std::string_view label, std::string_view context, size_t size) const;
  // A box as section 4 has it.
  std::string Seal(Role role, uint64_t n, std::string_view plaintext) const;
  // A box over `padded` as it is, under this nonce: for boxes that are wrong.
  std::string SealPadded(Role role, uint64_t n, std::string_view padded,
                         std::string_view nonce) const;
  std::string NonceOf(Role role, uint64_t n, std::string_view padded) const;
  // The plaintext of a box that is right in every respect: key, bucket, padding and nonce.
  std::optional<std::string> Open(Role role, uint64_t n, std::string_view box) const;

  const std::string& th() const { return th_; }
  const std::string& prk() const { return prk_; }

 private:
  std::string MessageKey(Role role, uint64_t n) const;

  std::string th_, prk_;
};

// `plaintext` in a bucket of `bucket` bytes, or in the smallest that fits.
std::string Pad(std::string_view plaintext, size_t bucket = 0);

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_CRYPTO_H_
