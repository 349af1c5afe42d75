// Who is sent what, and when.
#include <string>

#include "gtest/gtest.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {
namespace {

using Delivery = SwitchboardPairTest;

TEST_F(Delivery, AFrameIsHandedOverAtOnceAndPostedWhenItIsStored) {
  anna_->Post(1, "a");
  EXPECT_EQ(bert_->Heard(), "message(1 a)");
  EXPECT_EQ(anna_->Heard(), "");
  EXPECT_TRUE(anna_->reads()) << "the next request needs no commit";
  anna_->Post(2, "b");
  EXPECT_EQ(store_.pending(), "Append Append");
  EXPECT_EQ(bert_->Heard(), "message(2 b)");
  store_.Answer();
  EXPECT_EQ(anna_->Heard(), "posted(1)");
  store_.Answer();
  EXPECT_EQ(anna_->Heard(), "posted(2)");
  EXPECT_EQ(bert_->Heard(), "") << "nothing is sent twice";
}

TEST_F(Delivery, AnswersOfTheStoreMayComeInAnyOrder) {
  anna_->Post(1, "a").Post(2, "b").Post(3, "c");
  store_.AnswerNewest();
  EXPECT_EQ(anna_->Heard(), "posted(3)");
  Settle();
  bert_->Ack(3);
  anna_->Post(4, "d");
  store_.AnswerNewest();
  store_.AnswerNewest();
  Settle();
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator).accepted, 3u);
  EXPECT_EQ(bert_->Heard(), "message(1 a) message(2 b) message(3 c) message(4 d)");
  auto again = Again("anna");
  Settle();
  EXPECT_EQ(again->Heard(), Opened("stored=4 peer=attached:0-0 cursor=3"));
}

TEST_F(Delivery, ThePeerThatWasAwayReadsTheLog) {
  bert_->Detach();
  EXPECT_EQ(anna_->Heard(), "peer(detached cursor=0 third=0)");
  anna_->Post(1, "a").Post(2, "b");
  Settle();
  auto again = Again("bert");
  EXPECT_EQ(store_.pending(), "Read");
  EXPECT_EQ(again->Heard(), Opened("stored=0 peer=attached:0-2 cursor=0"));
  Settle();
  EXPECT_EQ(again->Heard(), "message(1 a) message(2 b)");
  EXPECT_EQ(anna_->Heard(), "posted(1) posted(2) peer(attached cursor=0 third=0)");
}

TEST_F(Delivery, AReaderThatComesBetweenPostAndCommitMissesNothing) {
  bert_->Detach();
  anna_->Post(1, "a").Post(2, "b");
  auto again = Again("bert");
  EXPECT_EQ(again->Heard(), Opened("stored=0 peer=attached:0-0 cursor=0"));
  anna_->Post(3, "c");
  EXPECT_EQ(again->Heard(), "") << "not out of order";
  Settle();
  EXPECT_EQ(again->Heard(), "message(1 a) message(2 b) message(3 c)");
  anna_->Post(4, "d");
  EXPECT_EQ(again->Heard(), "message(4 d)") << "up to date again";
}

TEST_F(Delivery, PostsWhileTheLogIsBeingReadComeInOrder) {
  bert_->Detach();
  anna_->Post(1, "a");
  Settle();
  auto again = Again("bert");
  again->Heard();
  EXPECT_EQ(store_.pending(), "Read");
  anna_->Post(2, "b");
  EXPECT_EQ(again->Heard(), "");
  store_.Answer("Append");
  store_.Answer("Read");
  EXPECT_EQ(again->Heard(), "message(1 a)");
  Settle();
  EXPECT_EQ(again->Heard(), "message(2 b)");
}

TEST_F(Delivery, ASupersededStreamsReadGoesNowhere) {
  bert_->Detach();
  anna_->Post(1, "a");
  Settle();
  auto second = Again("bert");
  auto third = Again("bert");
  EXPECT_EQ(store_.pending(), "Read Read");
  Settle();
  EXPECT_EQ(second->Heard(), Opened("stored=0 peer=attached:0-1 cursor=0"));
  EXPECT_EQ(second->Ended(), "ABORTED SUPERSEDED");
  EXPECT_EQ(third->Heard(), Opened("stored=0 peer=attached:0-1 cursor=0") + " message(1 a)");
  second->Detach();
  EXPECT_EQ(anna_->Heard(),
            "peer(detached cursor=0 third=0) posted(1) peer(attached cursor=0 third=0) "
            "peer(attached cursor=0 third=0)")
      << "a detaching stream clears presence only for itself";
  anna_->Post(2, "b");
  EXPECT_EQ(third->Heard(), "message(2 b)");
}

TEST_F(Delivery, AReaderThatDoesNotReadIsSentNoMoreThanTheWindow) {
  bert_->Stall(options_.limits.window_bytes);
  anna_->Post(1, "a").Post(2, "b");
  Settle();
  bert_->Ack(0);
  EXPECT_EQ(bert_->Heard(), "");
  EXPECT_EQ(anna_->Heard(), "posted(1) posted(2)") << "the author is not kept waiting";
  bert_->Read(options_.limits.window_bytes - 1);
  Settle();
  EXPECT_EQ(bert_->Heard(), "message(1 a) message(2 b)");
  anna_->Post(3, "c");
  EXPECT_EQ(bert_->Heard(), "message(3 c)");
}

TEST_F(Delivery, ALongLogIsReadInParts) {
  const std::string frame(options_.limits.window_bytes / 2, 'x');
  options_.limits.max_frame_bytes = options_.limits.window_bytes;
  options_.limits.window_frames = 100;
  options_.limits.window_bytes *= 4;
  Restart();
  StartPair();
  bert_->Detach();
  for (uint64_t n = 1; n <= 8; ++n) anna_->Post(n, frame);
  Settle();
  ASSERT_EQ(anna_->Ended(), "");
  options_.limits.window_bytes /= 4;
  Restart();
  auto again = Again("bert");
  store_.Answer("Load");
  store_.Answer("Read");
  again->Heard();
  EXPECT_EQ(again->last().message().number(), 2u);
  again->Stall(options_.limits.window_bytes);
  store_.Answer("Read");
  EXPECT_EQ(again->last().message().number(), 4u);
  EXPECT_EQ(store_.pending(), "") << "no more until the client reads";
  again->Read();
  Settle();
  EXPECT_EQ(again->last().message().number(), 8u);
}

TEST_F(Delivery, PostsOfALostStreamAreStoredAndItsSuccessorsRepeatsAnswered) {
  anna_->Post(1, "a").Post(2, "b");
  anna_->Detach();
  auto again = Again("anna");
  again->Post(1, "a");
  Settle();
  again->Post(2, "b");
  Settle();
  again->Post(3, "c");
  Settle();
  EXPECT_EQ(again->Heard(),
            Opened("stored=0 peer=attached:0-0 cursor=0") + " posted(1) posted(2) posted(3)");
  EXPECT_EQ(bert_->Heard(),
            "message(1 a) message(2 b) peer(detached cursor=0 third=0) "
            "peer(attached cursor=0 third=0) message(3 c)");
}

TEST_F(Delivery, NoMessageIsSentTwiceWhenTheReaderComesBackWithItsCursor) {
  anna_->Post(1, "a");
  EXPECT_EQ(bert_->Heard(), "message(1 a)");
  auto again = Again("bert", 1);
  Settle();
  anna_->Post(2, "b");
  Settle();
  EXPECT_EQ(again->Heard(), Opened("stored=0 peer=attached:0-0 cursor=0") + " message(2 b)");
}

}  // namespace
}  // namespace wormhole::relay
