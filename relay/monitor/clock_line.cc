#include "relay/monitor/clock_line.h"

#include <string>

#include "absl/time/time.h"
#include "relay/config/flag_values.h"

namespace wormhole::relay {
namespace {

using Level = LogChoice::Level;

// Whole seconds tell enough.
std::string HowFar(absl::Duration duration) {
  return WriteDuration(absl::Trunc(absl::AbsDuration(duration), absl::Seconds(1)));
}

void AddOffset(const ClockChange& change, std::vector<LogField>& fields) {
  if (change.offset == absl::ZeroDuration()) return;
  const bool ahead = change.offset < absl::ZeroDuration();
  fields.push_back({ahead ? "ahead" : "behind", HowFar(change.offset)});
}

ClockLine DescribeStep(const ClockChange& change) {
  if (change.offset == absl::ZeroDuration()) {
    return {Level::kInfo,
            "the machine's clock was set to the relay's time, which is its own again",
            {}};
  }
  return {Level::kWarn,
          "the machine's clock was set: the relay goes on by the time that it had, so that no "
          "channel ends before its time; if the clock is wrong, set it right",
          {{change.by > absl::ZeroDuration() ? "set_forward" : "set_back", HowFar(change.by)}}};
}

ClockLine DescribeGroup(const ClockChange& change) {
  if (change.offset == absl::ZeroDuration()) {
    return {Level::kInfo, "the machine's clock is that of the relays over this store again", {}};
  }
  return {
      Level::kWarn,
      "the machine's clock is not that of the relays over this store: the relay goes by theirs; "
      "if the clock is wrong, set it right",
      {}};
}

ClockLine DescribeVote(const ClockChange& change) {
  if (!change.outvoted)
    return {Level::kInfo, "other relays' machines agree with this clock again", {}};
  return {Level::kWarn,
          "other relays' machines agree that this clock is wrong: not ready for new clients until "
          "it is set right",
          {}};
}

}  // namespace

ClockLine DescribeChange(const ClockChange& change) {
  ClockLine line;
  switch (change.why) {
    case ClockChange::Why::kSet:
      line = DescribeStep(change);
      break;
    case ClockChange::Why::kGroup:
      line = DescribeGroup(change);
      break;
    case ClockChange::Why::kOutvoted:
      line = DescribeVote(change);
      break;
  }
  AddOffset(change, line.fields);
  return line;
}

}  // namespace wormhole::relay
