// When a client that has no stream tries again (proto/PROTOCOL.md section 6). Pure.
#ifndef WORMHOLE_CLIENT_CORE_SCHEDULE_H_
#define WORMHOLE_CLIENT_CORE_SCHEDULE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace wormhole {

// From `when` after the first start on, tries are `interval` apart (plus or minus a tenth).
struct ScheduleEntry {
  absl::Duration when;
  absl::Duration interval;
};
using Schedule = std::vector<ScheduleEntry>;

namespace core {

// INVALID_ARGUMENT unless there is an entry, the first is at 0, `when` ascends strictly, no
// interval is below 10 ms, and nothing is infinite or above 366 days.
absl::Status CheckSchedule(const Schedule& schedule);

// "0:0.5,60:5" in seconds, as the CLI takes it. The result has been checked.
absl::StatusOr<Schedule> ParseSchedule(std::string_view text);
std::string FormatSchedule(const Schedule& schedule);

// The interval that holds `elapsed` after the first start, with jitter from `unit` in [0, 1):
// between 0.9 and 1.1 of the entry's. A next entry that begins earlier cuts it short.
absl::Duration NextInterval(const Schedule& schedule, absl::Duration elapsed, double unit);

}  // namespace core
}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_CORE_SCHEDULE_H_
