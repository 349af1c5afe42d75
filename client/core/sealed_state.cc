#include "client/core/sealed_state.h"

#include <sodium.h>

#include <cstring>

#include "client/core/failure.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

constexpr std::string_view kFamily = "wormhole-sync-state-";
constexpr std::string_view kPrefix = "wormhole-sync-state-1:";
constexpr int kBase64 = sodium_base64_VARIANT_ORIGINAL;
constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr size_t kMaxTextBytes = 2 << 20;  // above what the longest state makes
static_assert(kStateKeyBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

absl::Status Invalid(std::string_view message) {
  return Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument, message);
}

}  // namespace

absl::StatusOr<std::string> SealState(std::string_view state, pake::SecretView key,
                                      RandomSource& random) {
  if (key.size() != kStateKeyBytes) return Invalid("the key of a sealed state must have 32 bytes");
  std::string box(kNonceBytes + state.size() + kTagBytes, '\0');
  random.Fill(Bytes(box), kNonceBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(Bytes(box) + kNonceBytes, nullptr, Bytes(state),
                                             state.size(), Bytes(kPrefix), kPrefix.size(), nullptr,
                                             Bytes(box), key.data(pake::SecretAccess{}));
  const size_t encoded = sodium_base64_encoded_len(box.size(), kBase64);
  std::string text(kPrefix.size() + encoded, '\0');
  std::memcpy(text.data(), kPrefix.data(), kPrefix.size());
  sodium_bin2base64(text.data() + kPrefix.size(), encoded, Bytes(box), box.size(), kBase64);
  text.pop_back();  // its terminating zero
  return text;
}

absl::StatusOr<std::string> OpenSealedState(std::string_view sealed, pake::SecretView key) {
  if (key.size() != kStateKeyBytes) return Invalid("the key of a sealed state must have 32 bytes");
  if (sealed.substr(0, kPrefix.size()) != kPrefix) {
    if (!LooksSealed(sealed)) return Invalid("this is no sealed state");
    return Failure(Reason::kStaleState, absl::StatusCode::kFailedPrecondition,
                   "this sealed state was written by a newer version; update this program");
  }
  if (sealed.size() > kMaxTextBytes) return Invalid("this sealed state is longer than any can be");
  sealed.remove_prefix(kPrefix.size());
  std::string box(sealed.size() / 4 * 3 + 3, '\0');
  size_t size = 0;
  if (sodium_base642bin(Bytes(box), box.size(), sealed.data(), sealed.size(), nullptr, &size,
                        nullptr, kBase64) != 0 ||
      size < kNonceBytes + kTagBytes) {
    return Invalid("this sealed state is damaged");
  }
  std::string state(size - kNonceBytes - kTagBytes, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          Bytes(state), nullptr, nullptr, Bytes(box) + kNonceBytes, size - kNonceBytes,
          Bytes(kPrefix), kPrefix.size(), Bytes(box), key.data(pake::SecretAccess{})) != 0) {
    return Invalid("this sealed state is damaged, or the key is another one");
  }
  return state;
}

bool LooksSealed(std::string_view text) { return text.substr(0, kFamily.size()) == kFamily; }

}  // namespace wormhole::core
