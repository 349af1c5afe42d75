#include "relay/monitor/refusal_notices.h"

#include <utility>

namespace wormhole::relay {

std::optional<uint64_t> RefusalNotices::Note(std::string_view reason, absl::Time now) {
  Reason& known = reasons_[reason];
  ++known.times;
  if (now - known.said_at < kPause) return std::nullopt;
  known.said_at = now;
  return std::exchange(known.times, 0);
}

}  // namespace wormhole::relay
