// A saved state sealed under a key of the caller (proto/PROTOCOL.md section 7). Pure; any thread.
#ifndef WORMHOLE_CLIENT_CORE_SEALED_STATE_H_
#define WORMHOLE_CLIENT_CORE_SEALED_STATE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/core/random_source.h"
#include "client/pake/secret_view.h"

namespace wormhole::core {

inline constexpr size_t kStateKeyBytes = 32;

// "wormhole-sync-state-1:" and the base64 of nonce[24] || XChaCha20-Poly1305-IETF(key, nonce,
// state, ad = that prefix), the nonce drawn from `random`. Printable; no secret without the key.
// INVALID_ARGUMENT unless the key has 32 bytes.
absl::StatusOr<std::string> SealState(std::string_view state, pake::SecretView key,
                                      RandomSource& random);

// What was sealed; hostile input. INVALID_ARGUMENT for what is no sealed state or was not sealed
// under this key; FAILED_PRECONDITION for one of a newer form.
absl::StatusOr<std::string> OpenSealedState(std::string_view sealed, pake::SecretView key);

// Whether this looks like a sealed state (of any version) rather than a plain one.
bool LooksSealed(std::string_view text);

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_SEALED_STATE_H_
