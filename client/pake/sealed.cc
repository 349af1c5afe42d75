#include "client/pake/sealed.h"

#include <sodium.h>

#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "proto/wire/lv.h"
#include "proto/wire/protocol_name.h"

namespace wormhole::pake {
namespace {

constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kAeadTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kNonceBytes + kAeadTagBytes == kBoxOverheadBytes);
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == 32);

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// The smallest bucket for so many bytes; sodium_pad always adds at least one.
size_t BucketFor(size_t plaintext_bytes) {
  size_t bucket = kMinBucketBytes;
  while (bucket <= plaintext_bytes) bucket *= 2;
  return bucket;
}

bool IsBucket(size_t bytes) {
  return bytes >= kMinBucketBytes && bytes <= kMaxBucketBytes && (bytes & (bytes - 1)) == 0;
}

std::string AssociatedData(Role role, uint64_t n) {
  return wire::Lv({wire::kProtocolName, "message", RoleName(role), U64be(n)});
}

// The front of HMAC-SHA-512(nonce key, u64be(n) || padded).
void WriteNonce(SecretView nonce_key, uint64_t n, const uint8_t* padded, size_t padded_bytes,
                uint8_t* nonce) {
  crypto_auth_hmacsha512_state state;
  crypto_auth_hmacsha512_init(&state, nonce_key.data(SecretAccess{}), nonce_key.size());
  const std::string number = U64be(n);
  crypto_auth_hmacsha512_update(&state, Bytes(std::string_view(number)), number.size());
  crypto_auth_hmacsha512_update(&state, padded, padded_bytes);
  WipedArray<kHashBytes> digest;
  crypto_auth_hmacsha512_final(&state, digest.data(SecretAccess{}));
  std::memcpy(nonce, digest.data(SecretAccess{}), kNonceBytes);
  sodium_memzero(&state, sizeof(state));
}

absl::Status BadBox() {
  return absl::InvalidArgumentError("a sealed message of the peer does not open");
}

}  // namespace

absl::StatusOr<std::string> Seal(const KeySchedule& schedule, Role role, uint64_t n,
                                 std::string_view plaintext) {
  if (plaintext.size() > kMaxPlaintextBytes) {
    return absl::InvalidArgumentError(absl::StrCat("a message has ", plaintext.size(),
                                                   " bytes; send at most ", kMaxPlaintextBytes));
  }
  const size_t bucket = BucketFor(plaintext.size());
  std::string box(bucket + kBoxOverheadBytes, '\0');
  unsigned char* const nonce = Bytes(box);
  unsigned char* const padded = nonce + kNonceBytes;  // sealed in place: no copy to wipe
  if (!plaintext.empty()) std::memcpy(padded, plaintext.data(), plaintext.size());
  size_t padded_bytes = 0;
  if (sodium_pad(&padded_bytes, padded, plaintext.size(), bucket, bucket) != 0 ||
      padded_bytes != bucket) {
    sodium_memzero(box.data(), box.size());
    return absl::InternalError("padding a message failed");
  }
  WriteNonce(schedule.NonceKey(role), n, padded, bucket, nonce);
  const WipedArray<32> key = schedule.MessageKey(role, n);
  const std::string ad = AssociatedData(role, n);
  crypto_aead_xchacha20poly1305_ietf_encrypt(padded, nullptr, padded, bucket,
                                             Bytes(std::string_view(ad)), ad.size(), nullptr, nonce,
                                             key.data(SecretAccess{}));
  return box;
}

absl::StatusOr<std::string> Open(const KeySchedule& schedule, Role role, uint64_t n,
                                 std::string_view box) {
  if (box.size() < kBoxOverheadBytes) return BadBox();
  const size_t bucket = box.size() - kBoxOverheadBytes;
  if (!IsBucket(bucket)) return BadBox();
  std::string padded(bucket, '\0');
  const WipedArray<32> key = schedule.MessageKey(role, n);
  const std::string ad = AssociatedData(role, n);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          Bytes(padded), nullptr, nullptr, Bytes(box) + kNonceBytes, bucket + kAeadTagBytes,
          Bytes(std::string_view(ad)), ad.size(), Bytes(box), key.data(SecretAccess{})) != 0) {
    return BadBox();
  }
  size_t plaintext_bytes = 0;
  if (sodium_unpad(&plaintext_bytes, Bytes(padded), bucket, bucket) != 0 ||
      BucketFor(plaintext_bytes) != bucket) {
    sodium_memzero(padded.data(), padded.size());
    return BadBox();
  }
  padded.resize(plaintext_bytes);
  return padded;
}

}  // namespace wormhole::pake
