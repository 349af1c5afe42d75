// Checks a schedule (wormhole/schedule.h), reads and writes it as text, and says what it asks for
// at a time. Pure.
#ifndef WORMHOLE_CLIENT_CORE_SCHEDULE_H_
#define WORMHOLE_CLIENT_CORE_SCHEDULE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wormhole/schedule.h"

namespace wormhole::core {

// INVALID_ARGUMENT unless there is an entry, the first is at 0, `when` ascends strictly, no
// interval is below 10 ms, and nothing is infinite or above 366 days.
absl::Status CheckSchedule(const Schedule& schedule);

// "0:0.5,60:5" in seconds, as the CLI takes it. The result has been checked.
absl::StatusOr<Schedule> ParseSchedule(std::string_view text);
std::string FormatSchedule(const Schedule& schedule);

// The interval that holds `elapsed` after the first start, with jitter from `unit` in [0, 1):
// between 0.9 and 1.1 of the entry's. A next entry that begins earlier cuts it short.
absl::Duration NextInterval(const Schedule& schedule, absl::Duration elapsed, double unit);

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_SCHEDULE_H_
