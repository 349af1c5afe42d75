// The `traceparent` header of W3C Trace Context, level 1. Pure.
#ifndef WORMHOLE_RELAY_MONITOR_TRACE_PARENT_H_
#define WORMHOLE_RELAY_MONITOR_TRACE_PARENT_H_

#include <optional>
#include <string_view>

namespace wormhole::relay {

struct TraceParent {
  std::string_view trace_id;   // 32 hexadecimal digits in lower case, not all 0
  std::string_view parent_id;  // 16 such: the caller's span
};

// Parts of `header`, which outlives them; nothing when it is not valid. A version beyond 00 is read
// as far as it is as 00, as the standard wants it.
std::optional<TraceParent> ReadTraceParent(std::string_view header);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_TRACE_PARENT_H_
