#include "client/pake/hkdf.h"

#include <sodium.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace wormhole::pake {
namespace {

static_assert(crypto_auth_hmacsha512_BYTES == kHashBytes);

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

WipedArray<kHashBytes> HkdfExtract(std::string_view salt, SecretView ikm) {
  crypto_auth_hmacsha512_state state;
  crypto_auth_hmacsha512_init(&state, Bytes(salt), salt.size());
  crypto_auth_hmacsha512_update(&state, ikm.data(SecretAccess{}), ikm.size());
  WipedArray<kHashBytes> prk;
  crypto_auth_hmacsha512_final(&state, prk.data(SecretAccess{}));
  sodium_memzero(&state, sizeof(state));
  return prk;
}

absl::Status HkdfExpand(SecretView prk, std::string_view info, SecretSpan out) {
  if (out.size() > kMaxHkdfBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("HKDF-SHA512 gives at most ", kMaxHkdfBytes, " bytes, not ", out.size()));
  }
  // One key setup for all blocks: each starts from a copy of this state.
  crypto_auth_hmacsha512_state keyed, state;
  crypto_auth_hmacsha512_init(&keyed, prk.data(SecretAccess{}), prk.size());
  WipedArray<kHashBytes> block;
  uint8_t* const t = block.data(SecretAccess{});
  uint8_t counter = 0;
  for (size_t done = 0; done < out.size();) {
    state = keyed;
    if (counter > 0) crypto_auth_hmacsha512_update(&state, t, kHashBytes);
    crypto_auth_hmacsha512_update(&state, Bytes(info), info.size());
    ++counter;
    crypto_auth_hmacsha512_update(&state, &counter, 1);
    crypto_auth_hmacsha512_final(&state, t);
    const size_t n = std::min(kHashBytes, out.size() - done);
    std::memcpy(out.data(SecretAccess{}) + done, t, n);
    done += n;
  }
  sodium_memzero(&keyed, sizeof(keyed));
  sodium_memzero(&state, sizeof(state));
  return absl::OkStatus();
}

}  // namespace wormhole::pake
