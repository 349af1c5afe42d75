// The log's line for a change of the relay's clock. Pure.
#ifndef WORMHOLE_RELAY_MONITOR_CLOCK_LINE_H_
#define WORMHOLE_RELAY_MONITOR_CLOCK_LINE_H_

#include <string_view>
#include <vector>

#include "relay/clock/clock.h"
#include "relay/config/config.h"
#include "relay/monitor/log_line.h"

namespace wormhole::relay {

struct ClockLine {
  LogChoice::Level level = LogChoice::Level::kInfo;
  std::string_view message;
  // `set_forward` or `set_back`, by how much; `ahead` or `behind`, by how much the machine's clock
  // is of the time that the relay goes by.
  std::vector<LogField> fields;
};

ClockLine DescribeChange(const ClockChange& change);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_CLOCK_LINE_H_
