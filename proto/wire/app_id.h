#ifndef WORMHOLE_PROTO_WIRE_APP_ID_H_
#define WORMHOLE_PROTO_WIRE_APP_ID_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace wormhole::wire {

inline constexpr size_t kMaxAppIdBytes = 255;

// OK for a usable app-id (PROTOCOL.md section 1): 1 to 255 bytes of valid UTF-8 (no overlong forms,
// surrogates or values past U+10FFFF) without control characters (C0, DEL, C1). Otherwise
// INVALID_ARGUMENT; the message says what to change and never repeats the bytes. Any thread.
absl::Status CheckAppId(std::string_view app_id);

}  // namespace wormhole::wire

#endif  // WORMHOLE_PROTO_WIRE_APP_ID_H_
