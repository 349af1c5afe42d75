#ifndef WORMHOLE_PROTO_WIRE_UTF8_H_
#define WORMHOLE_PROTO_WIRE_UTF8_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace wormhole::wire {

// Takes one character off the front of `text`, which is not empty (RFC 3629: no overlong forms,
// surrogates or values past U+10FFFF); nothing when its bytes are not UTF-8.
std::optional<uint32_t> TakeCodePoint(std::string_view& text);

bool IsUtf8(std::string_view text);

}  // namespace wormhole::wire

#endif  // WORMHOLE_PROTO_WIRE_UTF8_H_
