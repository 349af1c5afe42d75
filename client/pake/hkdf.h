#ifndef WORMHOLE_CLIENT_PAKE_HKDF_H_
#define WORMHOLE_CLIENT_PAKE_HKDF_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "client/pake/secret_view.h"
#include "client/pake/wiped_array.h"

// HKDF-SHA512 (RFC 5869) on libsodium's HMAC-SHA-512; libsodium 1.0.18 has no HKDF of its own.
// Pure; any thread.
namespace wormhole::pake {

inline constexpr size_t kHashBytes = 64;  // SHA-512
inline constexpr size_t kMaxHkdfBytes = 255 * kHashBytes;

// HKDF-Extract. An empty salt is the same as 64 zero bytes (RFC 5869 section 2.2).
WipedArray<kHashBytes> HkdfExtract(std::string_view salt, SecretView ikm);

// HKDF-Expand: fills all of `out`. INVALID_ARGUMENT, with `out` untouched, when it is longer than
// 16,320 bytes (RFC 5869 section 2.3).
absl::Status HkdfExpand(SecretView prk, std::string_view info, SecretSpan out);

}  // namespace wormhole::pake

#endif  // WORMHOLE_CLIENT_PAKE_HKDF_H_
