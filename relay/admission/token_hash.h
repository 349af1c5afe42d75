// Bearer tokens as the relay knows them: by their hash.
#ifndef WORMHOLE_RELAY_ADMISSION_TOKEN_HASH_H_
#define WORMHOLE_RELAY_ADMISSION_TOKEN_HASH_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace wormhole::relay {

// SHA-256, without salt and fast. That suffices because a token is 32 random bytes, which nobody
// finds by trying; a password hash would cost whoever presents one, right or wrong, a part of the
// relay's CPU. What people think of has no place here: see CheckToken.
using TokenHash = std::array<unsigned char, 32>;

// A client may present what it likes.
inline constexpr size_t kMaxPresentedToken = 4096;

TokenHash HashToken(std::string_view token);

// `sha256:` and 64 hex digits, as a tokens file has it.
std::string WriteTokenHash(const TokenHash& hash);
std::optional<TokenHash> ReadTokenHash(std::string_view text);

// The hash of the token in the value of an `authorization` header (RFC 6750: `Bearer`, in any case,
// blanks, the token). Nothing when it holds no token that could be one.
std::optional<TokenHash> HashOfBearer(std::string_view header);

// 43 characters of base64url, from 32 random bytes.
std::string TokenFrom(const std::array<unsigned char, 32>& random);

// Whether `token` could come from TokenFrom. INVALID_ARGUMENT, without the token, for what a person
// may have thought of: the hash would give it away to whoever reads the file and tries words.
absl::Status CheckToken(std::string_view token);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_ADMISSION_TOKEN_HASH_H_
