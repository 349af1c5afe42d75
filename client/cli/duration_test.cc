#include "client/cli/duration.h"

#include <random>
#include <string>

#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

TEST(DurationTest, Units) {
  EXPECT_EQ(*ParseDuration("30"), absl::Seconds(30));
  EXPECT_EQ(*ParseDuration("30s"), absl::Seconds(30));
  EXPECT_EQ(*ParseDuration("500ms"), absl::Milliseconds(500));
  EXPECT_EQ(*ParseDuration("5m"), absl::Minutes(5));
  EXPECT_EQ(*ParseDuration("1.5h"), absl::Minutes(90));
  EXPECT_EQ(*ParseDuration("3d"), absl::Hours(72));
  EXPECT_EQ(*ParseDuration("0"), absl::ZeroDuration());
}

TEST(DurationTest, Refused) {
  for (const char* text : {"", "s", "5 m", "5M", "-5s", "+5s", "1e3", "inf", "nan", "5mm", ".5",
                           "5.", "1.2.3", "5s5m", "0x10", "9999999999999999", "367d", "5\n"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
}

TEST(DurationTest, AnythingElseIsRefusedOrInRange) {
  std::mt19937 random(1);
  const std::string alphabet = "0123456789.smhd-+e ";
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (size_t n = random() % 8; n > 0; --n) text += alphabet[random() % alphabet.size()];
    absl::StatusOr<absl::Duration> duration = ParseDuration(text);
    if (!duration.ok()) continue;
    EXPECT_GE(*duration, absl::ZeroDuration()) << text;
    EXPECT_LE(*duration, absl::Hours(24 * 366)) << text;
  }
}

}  // namespace
}  // namespace wormhole::cli
