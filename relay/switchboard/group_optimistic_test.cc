// Two sides at two relays, whose store knows something of the channel without a look.
#include <memory>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/switchboard/testing/group_harness.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::MOOD_HAPPY;
using ::testing::EndsWith;

using OptimisticTest = GroupPairTest;

// A channel of which the west has heard.
class NewcomerTest : public GroupTest {
 protected:
  NewcomerTest() {
    anna_->Allocate();
    Settle();
    id_ = anna_->id();
    west_.store.set_cached(Stored(id_));
  }

  std::string Opened(const std::string& rest) const {
    return "opened(" + std::to_string(id_) + " " + rest + ")";
  }

  std::unique_ptr<TestStream> anna_ = east_.Stream("anna");
  std::unique_ptr<TestStream> bert_ = west_.Stream("bert");
  uint32_t id_ = 0;
};

TEST_F(NewcomerTest, AClaimNeedsNoLoad) {
  bert_->Claim(id_);
  EXPECT_EQ(west_.store.pending(), "Put");
  west_.store.set_cached(tables_.Load(2, {.app_id = kApp, .id = id_}));
  west_.store.Answer();
  EXPECT_EQ(bert_->Heard(), Opened("stored=0 peer=attached:0-0 cursor=0"));
  EXPECT_EQ(west_.store.pending(), "");
}

// It is told what was there when it came, whatever the relay knew.
TEST_F(NewcomerTest, AClaimIsToldWhatCameWithItsRecord) {
  anna_->Post(1, "a");
  east_.Answer();
  bert_->Claim(id_);
  west_.store.set_cached(tables_.Load(2, {.app_id = kApp, .id = id_}));
  west_.store.Answer();
  EXPECT_EQ(bert_->Heard(), Opened("stored=0 peer=attached:0-1 cursor=0"));
  west_.Answer();
  EXPECT_EQ(bert_->Heard(), "message(1 a)");
}

TEST_F(NewcomerTest, AClaimLoadsWhenNothingCameWithItsRecord) {
  anna_->Post(1, "a");
  east_.Answer();
  bert_->Claim(id_);
  west_.store.set_cached(std::nullopt);
  west_.store.Answer();
  EXPECT_EQ(bert_->Heard(), "");
  EXPECT_EQ(west_.store.pending(), "Load");
  west_.Answer();
  EXPECT_EQ(bert_->Heard(), Opened("stored=0 peer=attached:0-1 cursor=0") + " message(1 a)");
}

TEST_F(NewcomerTest, NobodyIsRefusedWithoutALoad) {
  const auto before = Stored(id_);
  bert_->Claim(id_);
  Settle();
  west_.store.set_cached(before);
  auto carl = west_.Stream("carl");
  carl->Claim(id_);
  EXPECT_EQ(west_.store.pending(), "Load");
  Settle();
  EXPECT_EQ(carl->Ended(), "ALREADY_EXISTS CROWDED");
  // A relay that knows of no receiver yet tries, and loads when it is refused.
  GroupTest::Relay south(this, 3);
  south.store.set_cached(before);
  auto dora = south.Stream("dora");
  dora->Claim(id_);
  EXPECT_EQ(south.store.pending(), "Put");
  south.store.Answer();
  EXPECT_EQ(south.store.pending(), "Load");
  south.Answer();
  EXPECT_EQ(dora->Ended(), "ALREADY_EXISTS CROWDED");
}

TEST_F(NewcomerTest, WhoWaitsWaitsOnlyAfterALoad) {
  bert_->Wait(id_);
  EXPECT_EQ(west_.store.pending(), "Load") << "the id was drawn";
  west_.Answer();
  EXPECT_EQ(bert_->Heard(), "waiting(" + std::to_string(id_) + ")");
}

TEST_F(NewcomerTest, AClaimWhoseStreamIsOverLeavesNoPresence) {
  bert_->Claim(id_);
  bert_->Detach();
  west_.Answer();
  EXPECT_EQ(Stored(id_)->record.member(Role::kReceiver).side, SideOf("bert"));
  EXPECT_FALSE(tables_.IsAttached({.app_id = kApp, .id = id_}, Role::kReceiver));
}

TEST_F(OptimisticTest, ACloseThatLostARaceGoesAgainAtOnce) {
  anna_->Close(MOOD_HAPPY);
  east_.Answer();
  bert_->Close(MOOD_HAPPY);  // has heard nothing of that
  west_.store.set_cached(Stored(id_));
  west_.store.Answer();
  EXPECT_EQ(west_.store.pending(), "Put");
  west_.Answer();
  EXPECT_EQ(bert_->Ended(), "OK");
  EXPECT_TRUE(Stored(id_)->record.ended());
}

TEST_F(OptimisticTest, APostThatLostARaceGoesAgainAtOnce) {
  anna_->Close(MOOD_HAPPY);
  east_.Answer();
  anna_->Detach();
  EXPECT_TRUE(tables_.Accept(1, key(), Role::kReceiver, 2).ok());
  bert_->Post(1, "b").Post(2, "c");
  west_.store.set_cached(Stored(id_));
  west_.store.Answer();
  west_.store.Answer();
  EXPECT_EQ(west_.store.pending(), "Append Append");
  west_.Answer();
  EXPECT_EQ(bert_->Heard(), "peer(left cursor=2 third=0) posted(1) posted(2)");
}

// With what the relay goes by already it would lose the race again and again.
TEST_F(OptimisticTest, ACloseThatLostARaceLoadsWhenNothingNewerIsKnown) {
  west_.store.set_cached(Stored(id_));
  anna_->Close(MOOD_HAPPY);
  east_.Answer();
  bert_->Close(MOOD_HAPPY);
  west_.store.Answer();
  EXPECT_EQ(west_.store.pending(), "Load");
  west_.Answer();
  EXPECT_EQ(bert_->Ended(), "OK");
  EXPECT_TRUE(Stored(id_)->record.ended());
}

TEST_F(OptimisticTest, APostThatLostARaceLoadsWhenNothingNewerIsKnown) {
  west_.store.set_cached(Stored(id_));
  anna_->Close(MOOD_HAPPY);
  east_.Answer();
  anna_->Detach();
  EXPECT_TRUE(tables_.Accept(1, key(), Role::kReceiver, 1).ok());
  bert_->Post(1, "b");
  west_.store.Answer();
  EXPECT_EQ(west_.store.pending(), "Load");
  west_.Answer();
  EXPECT_EQ(bert_->Heard(), "peer(left cursor=1 third=0) posted(1)");
}

// The acknowledgement has been asked for, and goes with the close all the same.
TEST_F(OptimisticTest, ACloseBringsItsAcknowledgementAlong) {
  anna_->Post(1, "a");
  Settle();
  bert_->Ack(1).Close(MOOD_HAPPY);
  EXPECT_EQ(west_.store.pending(), "Accept Put");
  Settle();
  EXPECT_EQ(bert_->Ended(), "OK");
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator).accepted, 1u);
  EXPECT_EQ(anna_->Heard(),
            "posted(1) peer(attached cursor=1 third=0) peer(left cursor=1 third=0)");
}

// A frame that a killed relay had handed over, and had not stored.
TEST_F(OptimisticTest, WhatASideHadAcceptedWhenItLeftMayBePosted) {
  const auto bert = east_.Stream("bert");
  bert->Resume(id_, /*cursor=*/1);
  while (east_.store.pending() != "Accept") east_.store.Answer();
  bert->Close(MOOD_HAPPY);
  EXPECT_EQ(east_.store.pending(), "Accept Put");
  east_.store.AnswerNewest();
  EXPECT_EQ(bert->Ended(), "OK");
  EXPECT_THAT(anna_->Heard(), EndsWith("peer(left cursor=1 third=0)"));
  anna_->Post(1, "a");
  Settle();
  EXPECT_EQ(anna_->Heard(), "posted(1)");
}

}  // namespace
}  // namespace wormhole::relay
