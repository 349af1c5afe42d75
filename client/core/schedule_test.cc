#include "client/core/schedule.h"

#include <random>

#include "gtest/gtest.h"

namespace wormhole::core {
namespace {

using absl::Hours;
using absl::Milliseconds;
using absl::Seconds;
using absl::ZeroDuration;

Schedule Parse(std::string_view text) {
  absl::StatusOr<Schedule> schedule = ParseSchedule(text);
  EXPECT_TRUE(schedule.ok()) << text << ": " << schedule.status();
  return schedule.value_or(Schedule{});
}

TEST(ScheduleTest, ParsesAndFormats) {
  const Schedule schedule = Parse("0:0.5,60:5,3600.25:3600");
  ASSERT_EQ(schedule.size(), 3u);
  EXPECT_EQ(schedule[0].interval, Milliseconds(500));
  EXPECT_EQ(schedule[1].when, Seconds(60));
  EXPECT_EQ(schedule[2].when, Milliseconds(3600250));
  EXPECT_EQ(FormatSchedule(schedule), "0:0.5,60:5,3600.25:3600");
}

TEST(ScheduleTest, RefusesWhatIsNoSchedule) {
  for (const char* text : {"",
                           "0",
                           "0:",
                           ":1",
                           "0:1,",
                           "0:1,,1:1",
                           "0:1 ",
                           " 0:1",
                           "0:-1",
                           "-1:1",
                           "0:1e3",
                           "0:nan",
                           "0:inf",
                           "0:.5",
                           "0:1.",
                           "0:0",
                           "0:0.009",
                           "1:1",
                           "0:1,0:2",
                           "0:1,5:1,5:1",
                           "0:1,60:1,30:1",
                           "0:31622401",
                           "0:1,31622401:1",
                           "0:9999999999999999999999",
                           "0:0.1234567891"}) {
    EXPECT_EQ(ParseSchedule(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(ScheduleTest, ChecksWhatWasBuiltByHand) {
  EXPECT_FALSE(CheckSchedule({}).ok());
  EXPECT_FALSE(CheckSchedule({{ZeroDuration(), absl::InfiniteDuration()}}).ok());
  EXPECT_FALSE(CheckSchedule({{ZeroDuration(), -Seconds(1)}}).ok());
  EXPECT_FALSE(
      CheckSchedule({{ZeroDuration(), Seconds(1)}, {absl::InfiniteDuration(), Seconds(1)}}).ok());
  EXPECT_FALSE(CheckSchedule(Schedule(1001, {ZeroDuration(), Seconds(1)})).ok());
  EXPECT_TRUE(
      CheckSchedule({{ZeroDuration(), Milliseconds(10)}, {Seconds(1), Hours(24 * 366)}}).ok());
}

TEST(ScheduleTest, PicksTheIntervalWithATenthOfJitter) {
  const Schedule schedule = Parse("0:1,100:10");
  EXPECT_EQ(NextInterval(schedule, ZeroDuration(), 0.5), Seconds(1));
  EXPECT_EQ(NextInterval(schedule, ZeroDuration(), 0), Milliseconds(900));
  EXPECT_LT(NextInterval(schedule, ZeroDuration(), 0.999999), Milliseconds(1100));
  EXPECT_EQ(NextInterval(schedule, Seconds(100), 0.5), Seconds(10));
  EXPECT_EQ(NextInterval(schedule, Hours(1), 0), Seconds(9));
}

TEST(ScheduleTest, AnEntryThatBeginsEarlierCutsTheIntervalShort) {
  const Schedule schedule = Parse("0:3600,60:1");
  EXPECT_EQ(NextInterval(schedule, ZeroDuration(), 0.5), Seconds(60));
  EXPECT_EQ(NextInterval(schedule, Seconds(59), 0.5), Seconds(1));
  EXPECT_EQ(NextInterval(schedule, -Seconds(5), 0.5), Seconds(3600));  // a clock that went back
}

TEST(ScheduleTest, RandomTextNeverCrashesAndWhatParsesRoundTrips) {
  std::mt19937 random(1);
  constexpr std::string_view kAlphabet = "0123456789.:,- e";
  int parsed = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text = i % 2 == 0 ? "0:" : "";
    for (unsigned n = random() % 12; n > 0; --n) text += kAlphabet[random() % kAlphabet.size()];
    const absl::StatusOr<Schedule> schedule = ParseSchedule(text);
    if (!schedule.ok()) continue;
    ++parsed;
    const absl::StatusOr<Schedule> again = ParseSchedule(FormatSchedule(*schedule));
    ASSERT_TRUE(again.ok()) << text;
    ASSERT_EQ(again->size(), schedule->size());
    for (size_t k = 0; k < schedule->size(); ++k) {
      EXPECT_EQ((*again)[k].when, (*schedule)[k].when) << text;
      EXPECT_EQ((*again)[k].interval, (*schedule)[k].interval) << text;
    }
    const absl::Duration next = NextInterval(*schedule, Seconds(random() % 100), 0.25);
    EXPECT_GT(next, ZeroDuration());
  }
  EXPECT_GT(parsed, 100);
}

}  // namespace
}  // namespace wormhole::core
