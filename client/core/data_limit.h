// How much data a side may send (proto/PROTOCOL.md section 4).
#ifndef WORMHOLE_CLIENT_CORE_DATA_LIMIT_H_
#define WORMHOLE_CLIENT_CORE_DATA_LIMIT_H_

#include <cstddef>

namespace wormhole::core {

inline constexpr size_t kMaxDataBytes = 65'000;

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_DATA_LIMIT_H_
