#include "relay/monitor/refusal_notices.h"

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

TEST(RefusalNoticesTest, EachReasonIsSaidAtOnceAndThenOnceAMinute) {
  RefusalNotices notices;
  const absl::Time begin = absl::UnixEpoch();
  EXPECT_EQ(notices.Note("streams_in_all", begin), 1);
  for (int second = 0; second < 60; ++second) {
    EXPECT_EQ(notices.Note("streams_in_all", begin + absl::Seconds(second)), std::nullopt);
  }
  EXPECT_EQ(notices.Note("claim_rate", begin + absl::Seconds(30)), 1);
  EXPECT_EQ(notices.Note("streams_in_all", begin + absl::Seconds(60)), 61);
  EXPECT_EQ(notices.Note("streams_in_all", begin + absl::Seconds(61)), std::nullopt);
  EXPECT_EQ(notices.Note("claim_rate", begin + absl::Hours(1)), 1);
}

}  // namespace
}  // namespace wormhole::relay
