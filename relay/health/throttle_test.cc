#include "relay/health/throttle.h"

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

constexpr absl::Duration kInterval = Throttle::kInterval;
const absl::Time kStart = absl::FromUnixSeconds(1'000'000);

TEST(ThrottleTest, TheFirstIsSaidAtOnceAndThenOneInEachInterval) {
  Throttle throttle;
  EXPECT_EQ(throttle.Note(kStart), 1);
  EXPECT_EQ(throttle.Note(kStart), std::nullopt);
  EXPECT_EQ(throttle.Note(kStart + kInterval - absl::Nanoseconds(1)), std::nullopt);
  EXPECT_EQ(throttle.Note(kStart + kInterval), 3);
  EXPECT_EQ(throttle.Note(kStart + kInterval + absl::Seconds(1)), std::nullopt);
}

TEST(ThrottleTest, WhatIsRareIsAlwaysSaid) {
  Throttle throttle;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(throttle.Note(kStart + i * kInterval), 1);
}

TEST(ThrottleTest, AClockThatIsSetBackSilencesNothing) {
  Throttle throttle;
  EXPECT_EQ(throttle.Note(kStart), 1);
  EXPECT_EQ(throttle.Note(kStart - absl::Seconds(1)), std::nullopt);
  EXPECT_EQ(throttle.Note(kStart - absl::Hours(1)), 2);
  EXPECT_EQ(throttle.Note(kStart - absl::Hours(1) + absl::Seconds(1)), std::nullopt);
}

}  // namespace
}  // namespace wormhole::relay
