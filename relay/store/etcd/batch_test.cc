#include "relay/store/etcd/batch.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "relay/store/etcd/testing/plan_harness.h"

namespace wormhole::relay {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

const ThirdPartyNotices::Notice kNotice = {kKey, {.third_parties = 2, .initiator = "i"}};

class BatchTest : public PlanTest {
 protected:
  // A transaction of one call that reads.
  std::unique_ptr<ChannelTxn> Read() {
    calls_.clear();
    calls_.push_back({.what = LoadCall{}});
    return Plan(nullptr);
  }
  // A transaction of one call that creates the channel.
  std::unique_ptr<ChannelTxn> Creation() {
    calls_.clear();
    Put(0, Record());
    return Plan(nullptr);
  }
  static bool Add(EtcdBatch& batch, std::unique_ptr<ChannelTxn> txn) { return batch.Add(txn); }

  EtcdBatch batch_{&kKeys, /*alone=*/false};
};

TEST_F(BatchTest, HasAnOperationForEachThingInItsOrder) {
  EXPECT_TRUE(batch_.empty());
  EXPECT_TRUE(Add(batch_, Read()));
  batch_.Add(SideCall{.key = "w/side"});
  EXPECT_FALSE(batch_.writes());
  batch_.Add(kNotice, "me", 5);
  EXPECT_TRUE(batch_.writes());
  batch_.Add(ClockSync::Update{.lease = 5}, "me");
  EXPECT_EQ(batch_.things(), 4u);
  EXPECT_EQ(batch_.calls(), 3u) << "the clock is nobody's call";
  const etcdserverpb::TxnRequest request = batch_.TakeRequest();
  ASSERT_THAT(request.success(), SizeIs(4));
  EXPECT_TRUE(request.success(0).has_request_txn());
  EXPECT_EQ(request.success(1).request_range().key(), "w/side");
  EXPECT_THAT(Keys(request.success(2).request_txn().success()),
              ElementsAre("put " + kKeys.Notice(kKey)));
  EXPECT_EQ(request.success(3).request_put().key(), kKeys.Clock("me"));
  EXPECT_EQ(request.success(3).request_put().lease(), 5);
}

// The put that an etcd which is full refuses is not carried out by one that is not.
TEST_F(BatchTest, OneThatWritesAsksForSpaceAndOneThatReadsDoesNot) {
  batch_.Add(SideCall{.key = "w/side"});
  EXPECT_THAT(batch_.TakeRequest().failure(), SizeIs(0));
  EtcdBatch writing(&kKeys, /*alone=*/false);
  writing.Add(kNotice, "me", 5);
  EXPECT_THAT(Keys(writing.TakeRequest().failure()), ElementsAre("put " + kKeys.root()));
}

TEST_F(BatchTest, AProbeReadsAndWouldWriteOnAConditionThatNeverHolds) {
  batch_.AddProbe();
  EXPECT_TRUE(batch_.writes());
  EXPECT_EQ(batch_.things(), 0u);
  const etcdserverpb::TxnRequest request = batch_.TakeRequest();
  ASSERT_THAT(request.compare(), SizeIs(1));
  EXPECT_EQ(request.compare(0).result(), etcdserverpb::Compare::LESS);
  EXPECT_EQ(request.compare(0).version(), 0);
  EXPECT_THAT(Keys(request.success()), ElementsAre("put " + kKeys.root()));
  EXPECT_THAT(Keys(request.failure()), ElementsAre("read " + kKeys.root()));
}

TEST_F(BatchTest, TwoTransactionsThatWriteASidesKeyDoNotGoTogether) {
  EXPECT_TRUE(Add(batch_, Creation()));
  EXPECT_FALSE(Add(batch_, Creation()));
  EXPECT_EQ(batch_.things(), 1u);
  EXPECT_TRUE(Add(batch_, Read()));
}

TEST_F(BatchTest, HasRoomForNoMoreThanEtcdTakes) {
  int added = 0;
  while (Add(batch_, Read())) ++added;
  EXPECT_GT(added, 10);
  EXPECT_LT(added, 128);
  EtcdBatch sides(&kKeys, /*alone=*/false);
  while (sides.room() > 0) sides.Add(SideCall{.key = "w/side"});
  EXPECT_EQ(sides.things(), 64u);
}

TEST_F(BatchTest, TheFirstTransactionGoesHoweverLargeItIs) {
  calls_.clear();
  const ChannelState state = Image(0, 0);
  Append(1, std::string(EtcdBatch::kMaxBytes, 'x'));
  EXPECT_TRUE(Add(batch_, Plan(&state)));
  EXPECT_EQ(batch_.bytes_left(), 0u);
  EXPECT_FALSE(Add(batch_, Read()));
}

TEST_F(BatchTest, OneThatIsToHaveOneThing) {
  EtcdBatch batch(&kKeys, /*alone=*/true);
  EXPECT_EQ(batch.room(), 1u);
  EXPECT_FALSE(batch.is_taken_alone());
  EXPECT_TRUE(Add(batch, Read()));
  EXPECT_TRUE(batch.is_taken_alone());
  EXPECT_EQ(batch.room(), 0u);
}

}  // namespace
}  // namespace wormhole::relay
