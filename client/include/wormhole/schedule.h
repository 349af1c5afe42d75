// When a client that has no stream tries again (proto/PROTOCOL.md section 6).
#ifndef WORMHOLE_SCHEDULE_H_
#define WORMHOLE_SCHEDULE_H_

#include <vector>

#include "absl/time/time.h"

namespace wormhole {
inline namespace v0 {

// From `when` after the first start on, tries are `interval` apart (plus or minus a tenth).
struct ScheduleEntry {
  absl::Duration when;
  absl::Duration interval;
};
using Schedule = std::vector<ScheduleEntry>;

}  // namespace v0
}  // namespace wormhole

#endif  // WORMHOLE_SCHEDULE_H_
