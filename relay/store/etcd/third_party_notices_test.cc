#include "relay/store/etcd/third_party_notices.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const ChannelKey kKey = {"a", 7};
const ChannelRef kChannel(kKey, "i");

class ThirdPartyNoticesTest : public ::testing::Test {
 protected:
  std::vector<ThirdPartyNotices::Notice> Take(size_t limit = 100, bool has_calls = false) {
    return notices_.Take(limit, [has_calls](const ChannelKey&) { return has_calls; });
  }

  ThirdPartyNotices notices_;
};

TEST_F(ThirdPartyNoticesTest, CountsUntilItIsTold) {
  notices_.Add(kChannel, 1);
  notices_.Add(kChannel, 2);
  const auto taken = Take();
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].first, kKey);
  EXPECT_EQ(taken[0].second.third_parties, 3u);
  EXPECT_EQ(taken[0].second.initiator, "i");
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(ThirdPartyNoticesTest, AnotherChannelBeginsAnew) {
  notices_.Add(kChannel, 5);
  notices_.Add({kKey, "j"}, 1);
  const auto taken = Take();
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].second.third_parties, 1u);
  EXPECT_EQ(taken[0].second.initiator, "j");
}

TEST_F(ThirdPartyNoticesTest, WhatIsPutBackIsToldWithWhatHasComeSince) {
  notices_.Add(kChannel, 1);
  const auto taken = Take();
  notices_.PutBack(taken[0]);
  notices_.Add(kChannel, 2);
  notices_.PutBack(taken[0]);
  EXPECT_EQ(Take()[0].second.third_parties, 4u);
  notices_.Add({kKey, "j"}, 1);
  notices_.PutBack(taken[0]);
  EXPECT_EQ(Take()[0].second.third_parties, 1u) << "it is another channel's now";
}

TEST_F(ThirdPartyNoticesTest, ChannelsWithCallsArePassedOverAndThenGoFirst) {
  notices_.Add(kChannel, 1);
  EXPECT_FALSE(notices_.IsPassedOver(kKey));
  EXPECT_THAT(Take(100, /*has_calls=*/true), IsEmpty());
  EXPECT_TRUE(notices_.IsPassedOver(kKey));
  EXPECT_THAT(Take(), SizeIs(1));
  EXPECT_FALSE(notices_.IsPassedOver(kKey));
}

TEST_F(ThirdPartyNoticesTest, TakesNoMoreThanThereIsRoomFor) {
  for (uint32_t id = 1; id <= 3; ++id) notices_.Add({{"a", id}, "i"}, 1);
  EXPECT_THAT(Take(0), IsEmpty());
  EXPECT_THAT(Take(2), SizeIs(2));
  EXPECT_THAT(Take(2), SizeIs(1));
}

}  // namespace
}  // namespace wormhole::relay
