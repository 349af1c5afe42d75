#include "client/cli/duration.h"

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"

namespace wormhole::cli {
namespace {

struct Unit {
  std::string_view name;
  double seconds;
};
constexpr Unit kUnits[] = {{"", 1}, {"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};

// Longer numbers say nothing more and would lose digits.
constexpr size_t kMaxNumberBytes = 15;
constexpr double kMaxSeconds = 366.0 * 86400;

absl::Status NotADuration() {
  return absl::InvalidArgumentError(
      "not a duration; write a number with ms, s, m, h or d, as in 90s, 5m, 3d");
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text) {
  size_t end = text.find_first_not_of("0123456789.");
  if (end == std::string_view::npos) end = text.size();
  const std::string_view number = text.substr(0, end);
  const bool one_point = number.find('.') == number.rfind('.');
  if (number.empty() || number.front() == '.' || number.back() == '.' || !one_point ||
      number.size() > kMaxNumberBytes) {
    return NotADuration();
  }
  double value = 0;
  if (!absl::SimpleAtod(absl::string_view(number.data(), number.size()), &value)) {
    return NotADuration();
  }
  for (const Unit& unit : kUnits) {
    if (text.substr(end) != unit.name) continue;
    if (value * unit.seconds > kMaxSeconds) {
      return absl::InvalidArgumentError("longer than a year");
    }
    return absl::Seconds(value * unit.seconds);
  }
  return NotADuration();
}

}  // namespace wormhole::cli
