#include "relay/store/etcd/presence_lease.h"

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

class PresenceLeaseTest : public ::testing::Test {
 protected:
  void Grant(int64_t id) {
    EXPECT_TRUE(lease_.TakeRequest(now_));
    lease_.Granted(id);
  }

  absl::Duration now_ = absl::Hours(5);
  PresenceLease lease_{absl::Seconds(9)};
};

TEST_F(PresenceLeaseTest, IsAskedForOnceAtATimeAndNotTooOften) {
  EXPECT_EQ(lease_.id(), 0);
  EXPECT_TRUE(lease_.TakeRequest(now_));
  EXPECT_FALSE(lease_.TakeRequest(now_ + absl::Seconds(5))) << "one is under way";
  lease_.Granted(0);
  EXPECT_FALSE(lease_.TakeRequest(now_ + absl::Milliseconds(499)));
  EXPECT_TRUE(lease_.TakeRequest(now_ + absl::Milliseconds(500)));
  lease_.Granted(7);
  EXPECT_EQ(lease_.id(), 7);
  EXPECT_FALSE(lease_.TakeRequest(now_ + absl::Hours(1)));
}

TEST_F(PresenceLeaseTest, IsRenewedEveryThirdOfItsTime) {
  Grant(7);
  EXPECT_EQ(lease_.TakeRenewal(now_ + absl::Milliseconds(2999)), 0);
  EXPECT_EQ(lease_.TakeRenewal(now_ + absl::Seconds(3)), 7);
  EXPECT_EQ(lease_.TakeRenewal(now_ + absl::Seconds(8)), 0) << "one is under way";
  lease_.Renewed(true);
  EXPECT_EQ(lease_.TakeRenewal(now_ + absl::Milliseconds(5999)), 0);
  EXPECT_EQ(lease_.TakeRenewal(now_ + absl::Seconds(6)), 7);
  lease_.Renewed(false);
  EXPECT_EQ(lease_.TakeRenewal(now_ + absl::Milliseconds(6499)), 0);
  EXPECT_EQ(lease_.TakeRenewal(now_ + absl::Milliseconds(6500)), 7);
}

TEST_F(PresenceLeaseTest, LastsFromWhenItWasAskedFor) {
  Grant(7);
  EXPECT_FALSE(lease_.MayHaveEnded(now_ + absl::Milliseconds(8999)));
  EXPECT_TRUE(lease_.MayHaveEnded(now_ + absl::Seconds(9)));
  EXPECT_EQ(lease_.TakeRenewal(now_ + absl::Seconds(4)), 7);
  lease_.Renewed(true);
  EXPECT_FALSE(lease_.MayHaveEnded(now_ + absl::Seconds(12)));
  EXPECT_TRUE(lease_.MayHaveEnded(now_ + absl::Seconds(13)));
}

TEST_F(PresenceLeaseTest, OneThatIsLostIsAskedForAgainAndNotRenewed) {
  Grant(7);
  lease_.Lose();
  EXPECT_EQ(lease_.id(), 0);
  EXPECT_EQ(lease_.TakeRenewal(now_ + absl::Seconds(5)), 0);
  EXPECT_TRUE(lease_.TakeRequest(now_ + absl::Seconds(5)));
}

}  // namespace
}  // namespace wormhole::relay
