// Channels: versions, sides, due times.
#include <map>
#include <optional>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/contract.h"
#include "tests/store/start_store.h"

namespace wormhole::relay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST_P(StoreContractTest, AnEmptyStoreHasNothing) {
  int visited = 0;
  EXPECT_TRUE(
      StartStore(under_test_->store(), [&](const ChannelKey&, IdState) { ++visited; }).ok());
  EXPECT_EQ(visited, 0);
  EXPECT_EQ(Call().Load(key_), std::nullopt);
  EXPECT_EQ(Call().FindSide(key_.app_id, Side("i")), std::nullopt);
  EXPECT_EQ(Call().Erase(key_, 0), PutOutcome::kStale);
  EXPECT_EQ(Call().Append(key_, 0, kInitiator, 1, "x").outcome, AppendOutcome::kStale);
  EXPECT_TRUE(absl::IsNotFound(Call().Accept(key_, kInitiator, 1).status()));
  EXPECT_THAT(Call().Read(key_, kInitiator), IsEmpty());
  EXPECT_THAT(Call().Due(absl::InfiniteFuture()), IsEmpty());
}

TEST_P(StoreContractTest, ANewChannelIsVersionOneAndComesBackAsItWas) {
  ChannelRecord record = Record("i", "r");
  record.named = true;
  record.member(kReceiver).left = true;
  record.created_at += absl::Microseconds(123456);
  record.version = 99;  // ignored
  EXPECT_EQ(Call().Put(key_, 0, record), PutOutcome::kDone);
  record.version = 1;
  const auto loaded = Call().Load(key_);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->record, record);
  EXPECT_EQ(loaded->log(kInitiator), LogState());
  EXPECT_EQ(loaded->log(kReceiver), LogState());
}

TEST_P(StoreContractTest, APutWithAnotherVersionIsStaleAndChangesNothing) {
  EXPECT_EQ(Call().Put(key_, 1, Record("i")), PutOutcome::kStale);
  EXPECT_EQ(Call().Put(key_, 0, Record("i")), PutOutcome::kDone);
  EXPECT_EQ(Call().Put(key_, 0, Record("j")), PutOutcome::kStale);
  EXPECT_EQ(Call().Put(key_, 2, Record("j")), PutOutcome::kStale);
  EXPECT_EQ(Call().Load(key_)->record.member(kInitiator).side, Side("i"));
  EXPECT_EQ(Call().FindSide(key_.app_id, Side("j")), std::nullopt);
}

TEST_P(StoreContractTest, EachPutRaisesTheVersion) {
  EXPECT_EQ(Call().Put(key_, 0, Record("i")), PutOutcome::kDone);
  EXPECT_EQ(Call().Put(key_, 1, Record("i", "r")), PutOutcome::kDone);
  EXPECT_EQ(Call().Load(key_)->record.version, 2u);
  EXPECT_EQ(Call().Put(key_, 2, Closed(Record("i", "r"))), PutOutcome::kDone);
  const ChannelRecord closed = Call().Load(key_)->record;
  EXPECT_EQ(closed.version, 3u);
  EXPECT_EQ(closed.life, Life::kClosed);
  EXPECT_EQ(closed.ended_by, rendezvous::v1::MOOD_HAPPY);
}

TEST_P(StoreContractTest, SidesAreFoundByApp) {
  Call().Put(key_, 0, Record("i"));
  Call().Put({"example.com/app2", 8}, 0, Record("i"));
  Call().Put(key_, 1, Record("i", "r"));
  EXPECT_THAT(Call().FindSide(key_.app_id, Side("i")), Optional(7u));
  EXPECT_THAT(Call().FindSide(key_.app_id, Side("r")), Optional(7u));
  EXPECT_THAT(Call().FindSide("example.com/app2", Side("i")), Optional(8u));
  EXPECT_EQ(Call().FindSide("example.com/app2", Side("r")), std::nullopt);
  EXPECT_EQ(Call().FindSide("example.com/app3", Side("i")), std::nullopt);
}

TEST_P(StoreContractTest, ASideBelongsToOneChannel) {
  Call().Put(key_, 0, Record("i", "r"));
  const ChannelKey other = {key_.app_id, 8};
  EXPECT_EQ(Call().Put(other, 0, Record("i")), PutOutcome::kSideTaken);
  EXPECT_EQ(Call().Put(other, 0, Record("j", "r")), PutOutcome::kSideTaken);
  EXPECT_EQ(Call().Load(other), std::nullopt);
  EXPECT_EQ(Call().FindSide(key_.app_id, Side("j")), std::nullopt);
  EXPECT_EQ(Call().Put(other, 0, Record("j")), PutOutcome::kDone);
  EXPECT_EQ(Call().Put(other, 1, Record("j", "i")), PutOutcome::kSideTaken);
  EXPECT_EQ(Call().Load(other)->record.version, 1u);
}

TEST_P(StoreContractTest, AStaleVersionIsToldBeforeATakenSide) {
  Call().Put(key_, 0, Record("i"));
  EXPECT_EQ(Call().Put({key_.app_id, 8}, 5, Record("i")), PutOutcome::kStale);
}

TEST_P(StoreContractTest, AnEndedChannelKeepsItsSides) {
  Call().Put(key_, 0, Record("i", "r"));
  Call().Put(key_, 1, Closed(Record("i", "r")));
  EXPECT_THAT(Call().FindSide(key_.app_id, Side("i")), Optional(7u));
  EXPECT_EQ(Call().Put({key_.app_id, 8}, 0, Record("i")), PutOutcome::kSideTaken);
}

TEST_P(StoreContractTest, ANewChannelMayTakeThePlaceOfAnEndedOne) {
  Call().Put(key_, 0, Record("i", "r"));
  Call().Append(key_, 1, kInitiator, 1, "old");
  Call().Accept(key_, kReceiver, 5).IgnoreError();
  Call().Put(key_, 1, Closed(Record("i", "r")));
  EXPECT_EQ(Call().Put(key_, 2, Record("j", "", 60)), PutOutcome::kDone);
  const auto loaded = Call().Load(key_);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->record.version, 3u);
  EXPECT_EQ(loaded->record.life, Life::kActive);
  EXPECT_EQ(loaded->record.created_at, At(60));
  EXPECT_EQ(loaded->log(kInitiator), LogState());
  EXPECT_EQ(loaded->log(kReceiver), LogState());
  EXPECT_THAT(Call().FindSide(key_.app_id, Side("j")), Optional(7u));
}

TEST_P(StoreContractTest, AnotherChannelOfTheSameVersionIsNotChanged) {
  Call().Put(key_, 0, Record("i"));
  Call().Erase(key_, 1);
  Call().Put(key_, 0, Record("j"));
  EXPECT_EQ(Call().Put(key_, 1, Closed(Record("i"))), PutOutcome::kStale);
  EXPECT_EQ(Call().Load(key_)->record.life, Life::kActive);
  EXPECT_EQ(Call().Put(key_, 1, Record("j", "r")), PutOutcome::kDone);
}

TEST_P(StoreContractTest, EraseForgetsTheChannelItsLogsAndItsSides) {
  Call().Put(key_, 0, Record("i", "r"));
  Call().Append(key_, 1, kInitiator, 1, "x");
  EXPECT_EQ(Call().Erase(key_, 2), PutOutcome::kStale);
  EXPECT_EQ(Call().Erase(key_, 1), PutOutcome::kDone);
  EXPECT_EQ(Call().Erase(key_, 1), PutOutcome::kStale);
  EXPECT_EQ(Call().Load(key_), std::nullopt);
  EXPECT_EQ(Call().FindSide(key_.app_id, Side("i")), std::nullopt);
  EXPECT_THAT(Call().Read(key_, kInitiator), IsEmpty());
  EXPECT_THAT(Call().Due(absl::InfiniteFuture()), IsEmpty());
  EXPECT_EQ(Call().Put(key_, 0, Record("i", "r")), PutOutcome::kDone);
  EXPECT_EQ(Call().Load(key_)->log(kInitiator), LogState());
}

TEST_P(StoreContractTest, ErasingOneChannelLeavesTheOthersOfItsApp) {
  Call().Put(key_, 0, Record("i"));
  Call().Put({key_.app_id, 8}, 0, Record("j"));
  Call().Erase(key_, 1);
  EXPECT_TRUE(Call().Load({key_.app_id, 8}).has_value());
  EXPECT_THAT(Call().FindSide(key_.app_id, Side("j")), Optional(8u));
}

TEST_P(StoreContractTest, DueGivesTheMostOverdueFirstUpToTheLimit) {
  const ChannelKey b = {"b", 2};
  const ChannelKey c = {"c", kMaxChannelId};
  Call().Put(key_, 0, Record("i", "", 30));
  Call().Put(b, 0, Record("i", "", 10));
  Call().Put(c, 0, Record("i", "", 20));
  EXPECT_THAT(Call().Due(At(3600 + 9)), IsEmpty());
  EXPECT_THAT(Call().Due(At(3600 + 10)), ElementsAre(b));
  EXPECT_THAT(Call().Due(At(3600 + 60)), ElementsAre(b, c, key_));
  EXPECT_THAT(Call().Due(At(3600 + 60), 2), ElementsAre(b, c));
  EXPECT_THAT(Call().Due(At(3600 + 60), 0), IsEmpty());
}

TEST_P(StoreContractTest, DueFollowsAChangedTime) {
  Call().Put(key_, 0, Record("i"));
  ChannelRecord ended = Closed(Record("i"));
  ended.due_at = At(7200);
  Call().Put(key_, 1, ended);
  EXPECT_THAT(Call().Due(At(7199)), IsEmpty());
  EXPECT_THAT(Call().Due(At(7200)), ElementsAre(key_));
}

TEST_P(StoreContractTest, AppIdsAndSidesAreBytes) {
  const std::string app = "caf\xc3\xa9/'; DROP TABLE channels; --" + std::string(200, 'x');
  const std::string side = std::string("\0\xff'\"\0", 5);
  EXPECT_EQ(Call().Put({app, 1}, 0, Record(side)), PutOutcome::kDone);
  EXPECT_THAT(Call().FindSide(app, Side(side)), Optional(1u));
  EXPECT_THAT(Call().Due(absl::InfiniteFuture()), ElementsAre(ChannelKey{app, 1}));
  EXPECT_EQ(Call().FindSide(app.substr(1), Side(side)), std::nullopt);
}

}  // namespace
}  // namespace wormhole::relay
