#ifndef WORMHOLE_PROTO_WIRE_LV_H_
#define WORMHOLE_PROTO_WIRE_LV_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

// Length-value encoding: lv_cat and prepend_len of draft-irtf-cfrg-cpace-21, appendix A. Each field
// is preceded by its length in bytes as minimal unsigned LEB128, so that different lists of fields
// never have the same encoding. All functions are pure and may be called from any thread.
namespace wormhole::wire {

// The length prefix alone: 1 to 10 bytes.
std::string LvPrefix(uint64_t length);

// lv(a, b, ...), e.g. Lv({kProtocolName, "side", token}). The result is an ordinary string: secret
// fields are hashed piece by piece with LvPrefix() instead.
std::string Lv(std::initializer_list<std::string_view> fields);

// The inverse of Lv(): exactly `count` fields, pointing into `bytes`. INVALID_ARGUMENT when a
// length is not minimal, runs past the end, a field is missing, or bytes are left over. So whatever
// is accepted is byte for byte what Lv() makes of the fields.
absl::StatusOr<std::vector<std::string_view>> ParseLv(std::string_view bytes, size_t count);

}  // namespace wormhole::wire

#endif  // WORMHOLE_PROTO_WIRE_LV_H_
