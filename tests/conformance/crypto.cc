#include "tests/conformance/crypto.h"

#include <sodium.h>

#include <cstdlib>

namespace wormhole::conformance {
namespace {

constexpr size_t kHashBlock = 128;
constexpr size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kAeadTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr size_t kLeastBucket = 256;
constexpr size_t kMostBucket = 65'536;

const unsigned char* In(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Out(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string BoxAd(Role role, uint64_t n) {
  return Lv({kProtocol, "message", NameOf(role), U64(n)});
}

std::string Transcript(const Handshake& h) { return Lv({h.share_i, h.ad_i, h.share_r, h.ad_r}); }

}  // namespace

void StartCrypto() {
  if (sodium_init() < 0) abort();
}

std::string RandomBytes(size_t size) {
  std::string out(size, '\0');
  randombytes_buf(out.data(), size);
  return out;
}

std::string Lv(std::initializer_list<std::string_view> fields) {
  std::string out;
  for (const std::string_view field : fields) {
    size_t left = field.size();
    for (; left >= 0x80; left >>= 7) out += static_cast<char>(0x80 | (left & 0x7f));
    out += static_cast<char>(left);
    out += field;
  }
  return out;
}

std::string U64(uint64_t n) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift);
  return out;
}

std::string Sha512(std::string_view text) {
  std::string out(crypto_hash_sha512_BYTES, '\0');
  crypto_hash_sha512(Out(out), In(text), text.size());
  return out;
}

std::string Hmac512(std::string_view key, std::string_view text) {
  std::string out(crypto_auth_hmacsha512_BYTES, '\0');
  crypto_auth_hmacsha512_state state;
  crypto_auth_hmacsha512_init(&state, In(key), key.size());
  crypto_auth_hmacsha512_update(&state, In(text), text.size());
  crypto_auth_hmacsha512_final(&state, Out(out));
  return out;
}

std::string HkdfExpand(std::string_view prk, std::string_view info, size_t size) {
  std::string out, block;
  for (char i = 1; out.size() < size; ++i) {
    block = Hmac512(prk, block + std::string(info) + i);
    out += block;
  }
  out.resize(size);
  return out;
}

std::string SideOf(std::string_view token) {
  return Sha512(Lv({kProtocol, "side", token})).substr(0, 16);
}

std::string ChannelInfo(std::string_view app_id, uint32_t channel_id) {
  return Lv({kProtocol, "CPACE-RISTR255-SHA512", app_id, std::to_string(channel_id), "initiator",
             "receiver"});
}

std::string AssociatedData(Role role, std::string_view versions, std::string_view side) {
  return Lv({kProtocol, NameOf(role), versions, side});
}

std::string RandomScalar() {
  std::string out(crypto_core_ristretto255_SCALARBYTES, '\0');
  crypto_core_ristretto255_scalar_random(Out(out));
  return out;
}

// The draft's generator_string: the zeros fill the first block of the hash.
std::string GeneratorOf(std::string_view words, std::string_view ci, std::string_view sid) {
  constexpr std::string_view kDsi = "CPaceRistretto255";
  const size_t used = Lv({words}).size() + Lv({kDsi}).size() + 1;
  const std::string zeros(used < kHashBlock ? kHashBlock - used : 0, '\0');
  const std::string hash = Sha512(Lv({kDsi, words, zeros, ci, sid}));
  std::string out(crypto_core_ristretto255_BYTES, '\0');
  crypto_core_ristretto255_from_hash(Out(out), In(hash));
  return out;
}

std::optional<std::string> Multiply(std::string_view scalar, std::string_view point) {
  std::string out(crypto_core_ristretto255_BYTES, '\0');
  if (point.size() != out.size()) return std::nullopt;
  if (crypto_scalarmult_ristretto255(Out(out), In(scalar), In(point)) != 0) return std::nullopt;
  return out;
}

Keys::Keys(const Handshake& h, std::string_view k) {
  const std::string ir = Transcript(h);
  th_ = Sha512(Lv({kProtocol, "transcript", h.ci, h.sid}) + ir);
  prk_ = Hmac512(th_, Sha512(Lv({"CPaceRistretto255_ISK", h.sid, k}) + ir));
}

std::string Keys::Okm(std::string_view label, std::string_view context, size_t size) const {
  return HkdfExpand(prk_, Lv({kProtocol, label, context}), size);
}

std::string Keys::Tag(Role role) const {
  return Hmac512(Okm("confirm", NameOf(role), 32), th_).substr(0, 32);
}

std::string Keys::MessageKey(Role role, uint64_t n) const {
  return Okm("message", Lv({NameOf(role), U64(n)}), 32);
}

std::string Keys::NonceOf(Role role, uint64_t n, std::string_view padded) const {
  const std::string key = Okm("nonce", NameOf(role), 32);
  return Hmac512(key, U64(n) + std::string(padded)).substr(0, kNonce);
}

std::string Pad(std::string_view plaintext, size_t bucket) {
  if (bucket == 0) {
    for (bucket = kLeastBucket; bucket <= plaintext.size();) bucket *= 2;
  }
  std::string out(plaintext);
  out += '\x80';
  out.resize(bucket, '\0');
  return out;
}

std::string Keys::Seal(Role role, uint64_t n, std::string_view plaintext) const {
  const std::string padded = Pad(plaintext);
  return SealPadded(role, n, padded, NonceOf(role, n, padded));
}

std::string Keys::SealPadded(Role role, uint64_t n, std::string_view padded,
                             std::string_view nonce) const {
  const std::string key = MessageKey(role, n), ad = BoxAd(role, n);
  std::string sealed(padded.size() + kAeadTag, '\0');
  crypto_aead_xchacha20poly1305_ietf_encrypt(Out(sealed), nullptr, In(padded), padded.size(),
                                             In(ad), ad.size(), nullptr, In(nonce), In(key));
  return std::string(nonce) + sealed;
}

std::optional<std::string> Keys::Open(Role role, uint64_t n, std::string_view box) const {
  if (box.size() < kNonce + kAeadTag + kLeastBucket) return std::nullopt;
  const std::string key = MessageKey(role, n), ad = BoxAd(role, n);
  const std::string_view nonce = box.substr(0, kNonce), sealed = box.substr(kNonce);
  std::string padded(sealed.size() - kAeadTag, '\0');
  if (padded.size() > kMostBucket) return std::nullopt;
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(Out(padded), nullptr, nullptr, In(sealed),
                                                 sealed.size(), In(ad), ad.size(), In(nonce),
                                                 In(key)) != 0) {
    return std::nullopt;
  }
  const size_t end = padded.find_last_not_of('\0');
  if (end == std::string::npos || padded[end] != '\x80') return std::nullopt;
  const std::string plaintext = padded.substr(0, end);
  if (Pad(plaintext) != padded || NonceOf(role, n, padded) != nonce) return std::nullopt;
  return plaintext;
}

}  // namespace wormhole::conformance
