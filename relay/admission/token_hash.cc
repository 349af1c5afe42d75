#include "relay/admission/token_hash.h"

#include <sodium.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "absl/strings/match.h"

namespace wormhole::relay {
namespace {

constexpr std::string_view kHashPrefix = "sha256:";
constexpr size_t kHexDigits = 2 * std::tuple_size_v<TokenHash>;
constexpr size_t kTokenCharacters = 43;
// Of 43 that are drawn from 64 some 31 differ, and in no token that was ever drawn fewer than this.
constexpr size_t kLeastDifferent = 16;

static_assert(std::tuple_size_v<TokenHash> == crypto_hash_sha256_BYTES);

bool IsBase64Url(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

// RFC 6750's b64token; an equals sign may only stand at the end.
bool IsToken(std::string_view text) {
  const size_t end = text.find_last_not_of('=');
  if (end == std::string_view::npos || text.size() > kMaxPresentedToken) return false;
  for (const char c : text.substr(0, end + 1)) {
    if (!IsBase64Url(c) && c != '.' && c != '~' && c != '+' && c != '/') return false;
  }
  return true;
}

}  // namespace

TokenHash HashToken(std::string_view token) {
  TokenHash hash;
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(token.data()),
                     token.size());
  return hash;
}

std::string WriteTokenHash(const TokenHash& hash) {
  std::array<char, kHexDigits + 1> digits = {};  // and a terminating zero
  sodium_bin2hex(digits.data(), digits.size(), hash.data(), hash.size());
  return std::string(kHashPrefix) + digits.data();
}

std::optional<TokenHash> ReadTokenHash(std::string_view text) {
  if (!text.starts_with(kHashPrefix)) return std::nullopt;
  const std::string_view digits = text.substr(kHashPrefix.size());
  TokenHash hash;
  size_t size = 0;
  const bool read = digits.size() == kHexDigits &&
                    sodium_hex2bin(hash.data(), hash.size(), digits.data(), digits.size(),
                                   /*ignore=*/nullptr, &size, /*hex_end=*/nullptr) == 0;
  if (!read || size != hash.size()) return std::nullopt;
  return hash;
}

std::optional<TokenHash> HashOfBearer(std::string_view header) {
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view scheme = header.substr(0, kScheme.size());
  if (!absl::EqualsIgnoreCase({scheme.data(), scheme.size()}, {kScheme.data(), kScheme.size()})) {
    return std::nullopt;
  }
  std::string_view token = header.substr(kScheme.size());
  token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
  if (!IsToken(token)) return std::nullopt;
  return HashToken(token);
}

std::string TokenFrom(const std::array<unsigned char, 32>& random) {
  std::array<char, kTokenCharacters + 1> text = {};  // and a terminating zero
  sodium_bin2base64(text.data(), text.size(), random.data(), random.size(),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  std::string token = text.data();
  sodium_memzero(text.data(), text.size());
  return token;
}

absl::Status CheckToken(std::string_view token) {
  bool drawn = token.size() == kTokenCharacters;
  std::set<char> different;
  for (const char c : token) {
    drawn = drawn && IsBase64Url(c);
    different.insert(c);
  }
  if (drawn && different.size() >= kLeastDifferent) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "this is no token of `wormhole-relay make-token`, which are 43 characters of base64url drawn "
      "at random; what people think of is found from its hash by trying");
}

}  // namespace wormhole::relay
