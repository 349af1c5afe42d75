#ifndef WORMHOLE_PROTO_WIRE_SIDE_H_
#define WORMHOLE_PROTO_WIRE_SIDE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace wormhole::wire {

inline constexpr size_t kTokenBytes = 32;
inline constexpr size_t kSideBytes = 16;

// 16 raw bytes that name one side of a channel. Not a secret: it may be stored, logged and shown.
using Side = std::string;

// The side of a token: the first 16 bytes of SHA-512(lv(P, "side", token)), PROTOCOL.md section 1.
// The token is a secret that proves membership; no copy of it stays behind in memory.
// INVALID_ARGUMENT unless the token has exactly 32 bytes. Any thread.
absl::StatusOr<Side> SideFromToken(std::string_view token);

}  // namespace wormhole::wire

#endif  // WORMHOLE_PROTO_WIRE_SIDE_H_
