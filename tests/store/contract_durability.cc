// What was acknowledged is there after a restart.
#include <map>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/contract.h"
#include "tests/store/start_store.h"

namespace wormhole::relay {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;
using ::testing::Pair;

TEST_P(StoreDurabilityTest, ChannelsSidesAndLogsSurvive) {
  Call().Put(key_, 0, Record("i"));
  Call().Put(key_, 1, Record("i", "r"));
  for (uint64_t n = 1; n <= 3; ++n) {
    Call().Append(key_, 2, kInitiator, n, "frame " + std::to_string(n));
  }
  Call().Accept(key_, kInitiator, 1).IgnoreError();
  Call().Accept(key_, kReceiver, 9).IgnoreError();
  const auto before = Call().Load(key_);
  under_test_->Restart();
  const auto after = Call().Load(key_);
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->record, before->record);
  EXPECT_EQ(after->log(kInitiator),
            (LogState{.stored = 3, .forgotten = 1, .accepted = 1, .bytes = 14}));
  EXPECT_EQ(after->log(kReceiver), (LogState{.accepted = 9}));
  EXPECT_THAT(Call().FindSide(key_.app_id, Side("r")), Optional(7u));
  EXPECT_THAT(Call().Read(key_, kInitiator),
              ElementsAre(Frame(2u, "frame 2"), Frame(3u, "frame 3")));
  EXPECT_THAT(Call().Due(absl::InfiniteFuture()), ElementsAre(key_));
}

TEST_P(StoreDurabilityTest, ARestartedLogGoesOnWhereItWas) {
  Call().Put(key_, 0, Record("i", "r"));
  Call().Append(key_, 1, kInitiator, 1, "one");
  under_test_->Restart();
  EXPECT_EQ(Call().Append(key_, 1, kInitiator, 1, "one").outcome, AppendOutcome::kDone);
  EXPECT_EQ(Call().Append(key_, 1, kInitiator, 1, "uno").outcome, AppendOutcome::kConflict);
  EXPECT_EQ(Call().Append(key_, 1, kInitiator, 3, "three").outcome, AppendOutcome::kGap);
  EXPECT_THAT(Call().Append(key_, 1, kInitiator, 2, "two"),
              Appended(AppendOutcome::kDone, LogState{.stored = 2, .bytes = 6}));
}

TEST_P(StoreDurabilityTest, StartTellsOfActiveAndEndedOnes) {
  Call().Put(key_, 0, Record("i"));
  Call().Put({"b", 1}, 0, Record("i"));
  Call().Put({"b", 1}, 1, Closed(Record("i")));
  Call().Put({"c", 1}, 0, Record("i"));
  Call().Erase({"c", 1}, 1);
  under_test_->Restart();
  std::map<ChannelKey, IdState> visited;
  EXPECT_TRUE(StartStore(under_test_->store(), [&](const ChannelKey& key, IdState state) {
                visited[key] = state;
              }).ok());
  EXPECT_THAT(visited, ElementsAre(Pair(ChannelKey{"b", 1}, IdState::kResting),
                                   Pair(key_, IdState::kTaken)));
}

TEST_P(StoreDurabilityTest, WhatWasForgottenAndErasedStaysAway) {
  Call().Put(key_, 0, Record("i", "r"));
  Call().Append(key_, 1, kInitiator, 1, "x");
  Call().Accept(key_, kInitiator, 1).IgnoreError();
  Call().Put({key_.app_id, 8}, 0, Record("j"));
  Call().Erase({key_.app_id, 8}, 1);
  under_test_->Restart();
  EXPECT_EQ(Call().Load(key_)->log(kInitiator),
            (LogState{.stored = 1, .forgotten = 1, .accepted = 1}));
  EXPECT_EQ(Call().Load({key_.app_id, 8}), std::nullopt);
  EXPECT_EQ(Call().FindSide(key_.app_id, Side("j")), std::nullopt);
  under_test_->Restart();
  EXPECT_EQ(Call().Put({key_.app_id, 9}, 0, Record("j")), PutOutcome::kDone);
}

}  // namespace
}  // namespace wormhole::relay
