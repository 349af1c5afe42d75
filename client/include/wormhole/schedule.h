// When a client that has no stream tries again (proto/PROTOCOL.md section 6).
#ifndef WORMHOLE_SCHEDULE_H_
#define WORMHOLE_SCHEDULE_H_

#include <vector>

#include "absl/time/time.h"
#include "wormhole/abseil.h"

namespace wormhole {
inline namespace v0 {

// From `when` after the first start on, tries are `interval` apart (plus or minus a tenth). A plain
// value.
struct ScheduleEntry {
  absl::Duration when;      // 0 in the first entry, then ascending; at most 366 days
  absl::Duration interval;  // 10 ms to 366 days
};

// One entry or more; each holds until the next begins, the last one for ever. Create refuses any
// other with INVALID_ARGUMENT.
using Schedule = std::vector<ScheduleEntry>;

}  // namespace v0
}  // namespace wormhole

#endif  // WORMHOLE_SCHEDULE_H_
