// How a line of the log is written. Pure.
#ifndef WORMHOLE_RELAY_MONITOR_LOG_LINE_H_
#define WORMHOLE_RELAY_MONITOR_LOG_LINE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "relay/config/config.h"

namespace wormhole::relay {

struct LogField {
  std::string_view name;  // [a-z_]+, lives for ever
  // A string may be anybody's bytes. A double is shown with three digits after the point.
  std::variant<std::string, uint64_t, double, bool> value;
};

struct LogLine {
  absl::Time time;
  LogChoice::Level level = LogChoice::Level::kInfo;
  std::string_view message;  // our own words
  std::vector<LogField> fields;
};

// One line with its line feed. Whatever the fields hold, it is one line of printable ASCII, and no
// value can be taken for another field or reach a terminal as more than its characters. A string of
// more than 1,024 bytes is cut.
//
// Text: `2026-07-01T12:00:00.000Z info MESSAGE name=value name="a value"`, values with anything but
// letters, digits and a few signs in quotes, with C's escapes.
std::string WriteTextLine(const LogLine& line);
// One JSON object: `time`, `level`, `message` and the fields. Bytes that are not UTF-8 become
// U+FFFD.
std::string WriteJsonLine(const LogLine& line);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_LOG_LINE_H_
