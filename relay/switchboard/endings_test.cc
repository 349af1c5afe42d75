// Closing, leaving, expiry.
#include <string>

#include "gtest/gtest.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::MOOD_ERRORY;
using rendezvous::v1::MOOD_HAPPY;
using rendezvous::v1::MOOD_LONELY;
using rendezvous::v1::MOOD_SCARY;
using rendezvous::v1::MOOD_UNSPECIFIED;

using Endings = SwitchboardPairTest;

TEST_F(Endings, ACloseIsCarriedOutAfterThePostsBeforeIt) {
  anna_->Post(1, "a").Post(2, "b").Close(MOOD_HAPPY);
  EXPECT_EQ(store_.pending(), "Append Append");
  store_.Answer();
  EXPECT_EQ(store_.pending(), "Append");
  store_.Answer();
  EXPECT_EQ(store_.pending(), "Put");
  EXPECT_EQ(anna_->Ended(), "") << "only once it is durable";
  EXPECT_EQ(anna_->Heard(), "posted(1) posted(2)");
  store_.Answer();
  EXPECT_EQ(anna_->Ended(), "OK");
  EXPECT_EQ(bert_->Heard(), "message(1 a) message(2 b) peer(left cursor=0 third=0)");
}

// It waits for no answer: both go to the store, in this order.
TEST_F(Endings, ACloseIsCarriedOutAfterTheAcknowledgementBeforeIt) {
  anna_->Ack(1).Close(MOOD_HAPPY);
  EXPECT_EQ(store_.pending(), "Accept Put");
  Settle();
  EXPECT_EQ(anna_->Ended(), "OK");
}

// Bert, whose frame Anna has taken, would be refused it as one that she will never read. So the
// record that says that she has left brings it along.
TEST_F(Endings, ASideWhoseAcknowledgementIsLostHasNotLeftWithoutIt) {
  anna_->Ack(1).Close(MOOD_HAPPY);
  store_.Fail("Accept");
  EXPECT_EQ(anna_->Ended(), "UNAVAILABLE STORE_AWAY");
  Settle();
  EXPECT_TRUE(Stored(id_)->record.member(Role::kInitiator).left);
  EXPECT_EQ(Stored(id_)->log(Role::kReceiver).accepted, 1u);
}

TEST_F(Endings, BothHappyEndTheChannel) {
  anna_->Close(MOOD_HAPPY);
  Settle();
  EXPECT_FALSE(Stored(id_)->record.ended());
  bert_->Close(MOOD_HAPPY);
  Settle();
  EXPECT_EQ(bert_->Ended(), "OK");
  EXPECT_EQ(Stored(id_)->record.life, Life::kClosed);
  auto again = Again("anna");
  Settle();
  EXPECT_EQ(again->Ended(), "NOT_FOUND CLOSED MOOD_HAPPY");
}

TEST_F(Endings, TwoClosesAtOnce) {
  anna_->Close(MOOD_HAPPY);
  bert_->Close(MOOD_HAPPY);
  EXPECT_EQ(store_.pending(), "Put");
  Settle();
  EXPECT_EQ(anna_->Ended(), "OK");
  EXPECT_EQ(bert_->Ended(), "OK");
  EXPECT_EQ(Stored(id_)->record.ended_by, MOOD_HAPPY);
}

TEST_F(Endings, AHappyAndAScaryAtOnce) {
  anna_->Close(MOOD_SCARY);
  bert_->Close(MOOD_HAPPY);
  Settle();
  EXPECT_EQ(anna_->Ended(), "OK");
  EXPECT_EQ(bert_->Ended(), "NOT_FOUND CLOSED MOOD_SCARY");
}

TEST_F(Endings, AnyOtherMoodEndsTheChannelForBoth) {
  for (rendezvous::v1::Mood mood : {MOOD_LONELY, MOOD_SCARY, MOOD_ERRORY}) {
    auto anna = Stream("anna" + std::to_string(mood));
    auto bert = Stream("bert" + std::to_string(mood));
    Pair(*anna, *bert);
    bert->Close(mood);
    Settle();
    EXPECT_EQ(bert->Ended(), "OK");
    EXPECT_EQ(anna->Ended(), "NOT_FOUND CLOSED " + rendezvous::v1::Mood_Name(mood));
  }
}

TEST_F(Endings, TheEndDropsWhatTheOtherHadUnderWay) {
  anna_->Post(1, "a");
  bert_->Close(MOOD_SCARY);
  anna_->Post(2, "b");
  EXPECT_EQ(store_.pending(), "Append Put");
  store_.AnswerNewest();
  EXPECT_EQ(anna_->Ended(), "NOT_FOUND CLOSED MOOD_SCARY");
  Settle();
  EXPECT_EQ(store_.pending(), "");
}

TEST_F(Endings, TheOnlyMemberEndsTheChannelAlsoHappy) {
  auto alone = Stream("alone");
  alone->Allocate();
  Settle();
  alone->Close(MOOD_HAPPY);
  Settle();
  EXPECT_EQ(alone->Ended(), "OK");
  EXPECT_EQ(Stored(alone->id())->record.life, Life::kClosed);
}

TEST_F(Endings, CloseNeedsAMood) {
  anna_->Close(MOOD_UNSPECIFIED);
  EXPECT_EQ(anna_->Ended(), "INVALID_ARGUMENT MALFORMED close.mood");
  bert_->Close(static_cast<rendezvous::v1::Mood>(77));
  EXPECT_EQ(bert_->Ended(), "INVALID_ARGUMENT MALFORMED close.mood");
}

TEST_F(Endings, ACloseOfALostStreamIsCarriedOutAndTheNextEndsWellToo) {
  anna_->Post(1, "a").Close(MOOD_HAPPY);
  anna_->Detach();
  auto again = Again("anna");
  again->Close(MOOD_HAPPY);
  Settle();
  EXPECT_EQ(again->Ended(), "OK");
  EXPECT_TRUE(Stored(id_)->record.member(Role::kInitiator).left);
  EXPECT_EQ(bert_->Ended(), "");
}

TEST_F(Endings, TheNextStreamsCloseWhileTheFirstIsBeingCarriedOut) {
  anna_->Close(MOOD_HAPPY);
  EXPECT_EQ(store_.pending(), "Put");
  auto again = Again("anna");  // waits for the change
  Settle();
  EXPECT_EQ(anna_->Ended(), "OK");
  EXPECT_NE(again->Heard().find(" left)"), std::string::npos);
  again->Close(MOOD_HAPPY);
  Settle();
  EXPECT_EQ(again->Ended(), "OK");
}

TEST_F(Endings, NothingIsReadAfterClose) {
  anna_->Post(1, "a").Close(MOOD_HAPPY);
  EXPECT_FALSE(anna_->reads());
  Settle();
  EXPECT_FALSE(anna_->reads());
}

TEST_F(Endings, TheNextStreamMayRepeatWhatTheLostOnePostedBeforeItsClose) {
  anna_->Post(1, "a").Close(MOOD_HAPPY);
  anna_->Detach();
  auto again = Again("anna");
  again->Post(1, "a");
  Settle();
  EXPECT_EQ(again->Ended(), "");
  again->Close(MOOD_HAPPY);
  Settle();
  EXPECT_EQ(again->Ended(), "OK");
}

TEST_F(Endings, AConflictBeforeCloseKeepsTheChannelOpen) {
  anna_->Post(1, "a");
  Settle();
  auto again = Again("anna");
  again->Post(1, "A");
  Settle();
  EXPECT_EQ(again->Ended(), "ABORTED CONFLICT");
  EXPECT_FALSE(Stored(id_)->record.member(Role::kInitiator).left);
}

TEST_F(Endings, ExpiryEndsBothStreams) {
  Pass(options_.limits.ttl_default);
  anna_->Heartbeat();
  bert_->Heartbeat();
  Tick();
  EXPECT_EQ(anna_->Ended(), "NOT_FOUND EXPIRED");
  EXPECT_EQ(bert_->Ended(), "NOT_FOUND EXPIRED");
  auto again = Again("anna");
  Settle();
  EXPECT_EQ(again->Ended(), "NOT_FOUND EXPIRED");
}

TEST_F(Endings, NothingExtendsTheLife) {
  const absl::Time due = Stored(id_)->record.due_at;
  Pass(options_.limits.ttl_default / 2);
  anna_->Post(1, "a");
  bert_->Ack(1);
  auto again = Again("anna");
  Settle();
  EXPECT_EQ(Stored(id_)->record.due_at, due);
}

TEST_F(Endings, APostAfterTheTimeIsOverIsExpiredBeforeAnyTick) {
  Pass(options_.limits.ttl_default);
  anna_->Post(1, "a");
  EXPECT_EQ(anna_->Ended(), "NOT_FOUND EXPIRED");
  EXPECT_EQ(bert_->Heard(), "peer(detached cursor=0 third=0)");
}

TEST_F(Endings, ManyDueChannelsOneScanAtATime) {
  for (int i = 0; i < 1500; ++i) {
    auto stream = Stream("client" + std::to_string(i));
    stream->Allocate(0, absl::Minutes(1));
    Settle();
  }
  Pass(absl::Minutes(1));
  switchboard_->Tick();
  switchboard_->Tick();
  EXPECT_EQ(store_.pending(), "Due");
  store_.Answer();
  switchboard_->Tick();
  Settle();
  Tick();
  size_t active = 0;
  store_.contents().ForEach(
      [&](const ChannelKey&, IdState state) { active += state == IdState::kTaken; });
  EXPECT_EQ(active, 1u);
}

TEST_F(Endings, AFailedScanForDueIsTakenAgain) {
  switchboard_->Tick();
  store_.Fail("Due");
  switchboard_->Tick();
  EXPECT_EQ(store_.pending(), "Due");
}

}  // namespace
}  // namespace wormhole::relay
