#include "proto/wire/side.h"

#include <sodium.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "proto/wire/lv_hash.h"
#include "proto/wire/protocol_name.h"

namespace wormhole::wire {

absl::StatusOr<Side> SideFromToken(std::string_view token) {
  if (token.size() != kTokenBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a token has ", kTokenBytes, " bytes, not ", token.size()));
  }
  LvHash hash;
  hash.AddField(kProtocolName);
  hash.AddField("side");
  hash.AddField(token);
  uint8_t digest[crypto_hash_sha512_BYTES];
  hash.Finish(digest);
  Side side(reinterpret_cast<const char*>(digest), kSideBytes);
  sodium_memzero(digest, sizeof(digest));
  return side;
}

}  // namespace wormhole::wire
