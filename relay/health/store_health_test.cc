#include "relay/health/store_health.h"

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'000'000);

TEST(StoreHealthTest, WorksAtFirst) {
  StoreHealth health(kStart);
  EXPECT_TRUE(health.state().status.ok());
  EXPECT_EQ(health.state().since, kStart);
}

TEST(StoreHealthTest, KnowsWhySinceWhen) {
  StoreHealth health(kStart);
  EXPECT_TRUE(health.Note(absl::UnavailableError("full"), kStart + absl::Seconds(5)));
  health.Note(absl::UnavailableError("broken"), kStart + absl::Seconds(9));
  EXPECT_EQ(health.state().status, absl::UnavailableError("broken"));
  EXPECT_EQ(health.state().since, kStart + absl::Seconds(5));
  EXPECT_TRUE(health.Note(absl::OkStatus(), kStart + absl::Seconds(10)));
  EXPECT_TRUE(health.state().status.ok());
  EXPECT_EQ(health.state().since, kStart + absl::Seconds(10));
}

TEST(StoreHealthTest, OneThatFailsIsWorthALineAMinuteWithTheLatestReason) {
  StoreHealth health(kStart);
  EXPECT_TRUE(health.Note(absl::UnavailableError("full"), kStart));
  EXPECT_FALSE(health.Note(absl::UnavailableError("full"), kStart + StoreHealth::kInterval / 2));
  EXPECT_TRUE(health.Note(absl::UnavailableError("broken"), kStart + StoreHealth::kInterval));
  EXPECT_EQ(health.state().status, absl::UnavailableError("broken"));
  EXPECT_TRUE(health.Note(absl::OkStatus(), kStart + StoreHealth::kInterval + absl::Seconds(1)));
}

TEST(StoreHealthTest, OneThatFailsNowAndThenIsWorthALineAMinute) {
  StoreHealth health(kStart);
  int lines = 0;
  for (int second = 0; second < 120; ++second) {
    const absl::Time now = kStart + absl::Seconds(second);
    lines += health.Note(absl::UnavailableError("full"), now) ? 1 : 0;
    EXPECT_FALSE(health.state().status.ok());
    lines += health.Note(absl::OkStatus(), now) ? 1 : 0;
    EXPECT_TRUE(health.state().status.ok());
  }
  EXPECT_EQ(lines, 4);
}

}  // namespace
}  // namespace wormhole::relay
