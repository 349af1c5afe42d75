#include "relay/monitor/clock_line.h"

#include <string>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using Why = ClockChange::Why;

std::string LineOf(const ClockChange& change) {
  const ClockLine line = DescribeChange(change);
  return WriteTextLine({.time = absl::UnixEpoch(),
                        .level = line.level,
                        .message = line.message,
                        .fields = line.fields})
      .substr(25);
}

TEST(ClockLineTest, SaysWhatHappenedAndWhatToDo) {
  EXPECT_EQ(
      LineOf({.why = Why::kSet, .by = absl::Hours(72), .offset = absl::Hours(-72)}),
      "warn the machine's clock was set: the relay goes on by the time that it had, so that no "
      "channel ends before its time; if the clock is wrong, set it right set_forward=3d "
      "ahead=3d\n");
  EXPECT_EQ(
      LineOf({.why = Why::kSet,
              .by = absl::Seconds(-90) - absl::Microseconds(7),
              .offset = absl::Seconds(90) + absl::Microseconds(7)}),
      "warn the machine's clock was set: the relay goes on by the time that it had, so that no "
      "channel ends before its time; if the clock is wrong, set it right set_back=1m30s "
      "behind=1m30s\n");
  EXPECT_EQ(LineOf({.why = Why::kSet, .by = absl::Hours(-72)}),
            "info the machine's clock was set to the relay's time, which is its own again\n");
  EXPECT_EQ(LineOf({.why = Why::kGroup, .by = absl::Hours(2), .offset = absl::Hours(2)}),
            "warn the machine's clock is not that of the relays over this store: the relay goes by "
            "theirs; if the clock is wrong, set it right behind=2h\n");
  EXPECT_EQ(LineOf({.why = Why::kGroup, .by = absl::Hours(-2)}),
            "info the machine's clock is that of the relays over this store again\n");
  EXPECT_EQ(LineOf({.why = Why::kOutvoted, .offset = absl::Hours(-2), .outvoted = true}),
            "warn other relays' machines agree that this clock is wrong: not ready for new clients "
            "until it is set right ahead=2h\n");
  EXPECT_EQ(LineOf({.why = Why::kOutvoted}),
            "info other relays' machines agree with this clock again\n");
}

}  // namespace
}  // namespace wormhole::relay
