// What is stored, and what is refused.
#include <cstdint>
#include <limits>
#include <string>

#include "gtest/gtest.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::MOOD_HAPPY;

using Posts = SwitchboardPairTest;

TEST_F(Posts, TheSameBytesAgainArePostedAndChangeNothing) {
  anna_->Post(1, "a").Post(2, "b");
  Settle();
  anna_->Heard();
  anna_->Post(1, "a");
  EXPECT_FALSE(anna_->reads()) << "a repeat is answered before more is read";
  Settle();
  EXPECT_TRUE(anna_->reads());
  EXPECT_EQ(anna_->Heard(), "posted(1)");
  EXPECT_EQ(bert_->Heard(), "message(1 a) message(2 b)");
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator).stored, 2u);
}

TEST_F(Posts, OtherBytesAreAConflict) {
  anna_->Post(1, "a");
  Settle();
  anna_->Post(1, "A");
  Settle();
  EXPECT_EQ(anna_->Ended(), "ABORTED CONFLICT");
  EXPECT_EQ(bert_->Ended(), "");
  EXPECT_EQ(bert_->Heard(), "message(1 a) peer(detached cursor=0 third=0)");
}

TEST_F(Posts, OtherBytesThanThoseUnderWayAreAConflictToo) {
  anna_->Post(1, "a");
  anna_->Post(1, "A");
  Settle();
  EXPECT_EQ(anna_->Ended(), "ABORTED CONFLICT");
  EXPECT_EQ(bert_->Heard(), "message(1 a) peer(detached cursor=0 third=0)");
  EXPECT_EQ(store_.contents().Read(key(), Role::kInitiator, 0, 100).at(0).frame, "a");
}

TEST_F(Posts, OtherBytesAreNeverHandedOver) {
  bert_->Detach();
  anna_->Post(1, "a");
  Settle();
  auto again = Stream("bert");
  again->Stall(options_.limits.window_bytes);
  again->Resume(id_);
  EXPECT_EQ(store_.pending(), "");
  again->Stall(0);
  anna_->Post(1, "A");
  Settle();
  EXPECT_EQ(anna_->Ended(), "ABORTED CONFLICT");
  EXPECT_EQ(again->Heard(), Opened("stored=0 peer=attached:0-1 cursor=0") +
                                " peer(detached cursor=0 third=0) message(1 a)");
}

constexpr uint64_t kFarAhead = std::numeric_limits<int64_t>::max();

// Such posts are in no window, and a store that hangs must not make them pile up.
TEST_F(Posts, UpToACursorFarAheadAreReadOnlyWhileTheQueueHasRoom) {
  const uint32_t window = options_.limits.window_frames;
  bert_->Ack(kFarAhead);
  Settle();
  anna_->Heard();
  uint64_t last = 0;
  while (anna_->reads() && last < 10 * window) anna_->Post(++last, "x");
  EXPECT_EQ(last, window + 1) << "one more than a client that keeps the window can have";
  EXPECT_EQ(anna_->Ended(), "");
  ASSERT_TRUE(store_.Answer("Append"));
  EXPECT_TRUE(anna_->reads());
  anna_->Post(++last, "x");
  EXPECT_FALSE(anna_->reads());
  Settle();
  EXPECT_TRUE(anna_->reads());
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator).stored, last);
}

TEST_F(Posts, UpToACursorFarAheadAreBoundedInBytesToo) {
  auto again = Again("bert", kFarAhead);
  Settle();
  const std::string frame(options_.limits.max_frame_bytes, 'x');
  uint64_t last = 0;
  while (anna_->reads() && last < 1000) anna_->Post(++last, frame);
  EXPECT_EQ(last, options_.limits.window_bytes / frame.size() + 1);
  Settle();
  EXPECT_TRUE(anna_->reads());
}

TEST_F(Posts, ANewStreamWaitsForTheQueueOfTheLastOne) {
  bert_->Ack(kFarAhead);
  Settle();
  uint64_t last = 0;
  while (anna_->reads() && last < 1000) anna_->Post(++last, "x");
  auto again = Again("anna");
  EXPECT_FALSE(again->reads());
  Settle();
  EXPECT_TRUE(again->reads());
}

TEST_F(Posts, AForgottenNumberIsPostedWithoutComparison) {
  anna_->Post(1, "a");
  Settle();
  bert_->Ack(1);
  Settle();
  anna_->Heard();
  anna_->Post(1, "other");
  Settle();
  EXPECT_EQ(anna_->Heard(), "posted(1)");
  EXPECT_EQ(anna_->Ended(), "");
}

TEST_F(Posts, AGapIsMalformed) {
  anna_->Post(2, "b");
  EXPECT_EQ(anna_->Ended(), "INVALID_ARGUMENT MALFORMED post.number");
  EXPECT_EQ(bert_->Heard(), "peer(detached cursor=0 third=0)");
  bert_->Post(0, "b");
  EXPECT_EQ(bert_->Ended(), "INVALID_ARGUMENT MALFORMED post.number");
}

TEST_F(Posts, ALongFrameIsMalformed) {
  anna_->Post(1, std::string(options_.limits.max_frame_bytes, 'x'));
  EXPECT_EQ(anna_->Ended(), "");
  anna_->Post(2, std::string(options_.limits.max_frame_bytes + 1, 'x'));
  EXPECT_EQ(anna_->Ended(), "INVALID_ARGUMENT MALFORMED post.frame");
}

TEST_F(Posts, BeyondTheWindowIsRefusedAlsoWhatIsUnderWay) {
  const uint32_t window = options_.limits.window_frames;
  for (uint32_t n = 1; n <= window; ++n) {
    anna_->Post(n, "x");
    ASSERT_TRUE(anna_->reads()) << "a client that keeps the limits is always read";
  }
  anna_->Post(window + 1, "x");
  EXPECT_EQ(anna_->Ended(), "RESOURCE_EXHAUSTED WINDOW");
  Settle();
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator).stored, window);
}

TEST_F(Posts, TheWindowInBytesCountsWhatIsUnderWay) {
  const std::string frame(options_.limits.window_bytes / 16, 'x');
  for (uint64_t n = 1; n <= 15; ++n) anna_->Post(n, frame);
  for (int i = 0; i < 7; ++i) store_.AnswerNewest();
  anna_->Post(16, frame);
  EXPECT_EQ(anna_->Ended(), "") << "each frame counts once, whatever the order of the answers";
  Settle();
  bert_->Ack(1);
  Settle();
  anna_->Post(17, frame + "!");
  EXPECT_EQ(anna_->Ended(), "RESOURCE_EXHAUSTED WINDOW");
}

TEST_F(Posts, AnAcknowledgementOpensTheWindowOnceItIsTold) {
  const uint32_t window = options_.limits.window_frames;
  for (uint32_t n = 1; n <= window; ++n) anna_->Post(n, "x");
  Settle();
  anna_->Heard();
  bert_->Ack(3);
  EXPECT_EQ(anna_->Heard(), "") << "only once it is stored";
  Settle();
  EXPECT_EQ(anna_->Heard(), "peer(attached cursor=3 third=0)");
  for (uint32_t n = window + 1; n <= window + 3; ++n) anna_->Post(n, "x");
  EXPECT_EQ(anna_->Ended(), "");
}

TEST_F(Posts, AcknowledgementsAreStoredOneAtATimeTheLatestNext) {
  anna_->Post(1, "a").Post(2, "b").Post(3, "c").Post(4, "d");
  Settle();
  anna_->Heard();
  bert_->Ack(1);
  bert_->Ack(2);
  bert_->Ack(4);
  bert_->Ack(3);
  EXPECT_EQ(store_.pending(), "Accept");
  store_.Answer();
  EXPECT_EQ(anna_->Heard(), "peer(attached cursor=1 third=0)");
  EXPECT_EQ(store_.pending(), "Accept");
  store_.Answer();
  EXPECT_EQ(anna_->Heard(), "peer(attached cursor=4 third=0)");
  EXPECT_EQ(store_.pending(), "");
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator).forgotten, 4u);
}

TEST_F(Posts, TheCursorInOpenAcknowledges) {
  anna_->Post(1, "a").Post(2, "b");
  Settle();
  anna_->Heard();
  auto again = Again("bert", 2);
  Settle();
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator).accepted, 2u);
  EXPECT_EQ(anna_->Heard(), "peer(attached cursor=0 third=0) peer(attached cursor=2 third=0)");
  EXPECT_EQ(again->Heard(), Opened("stored=0 peer=attached:0-2 cursor=0"));
}

// The relay has lost what the reader had seen.
TEST_F(Posts, ACursorBeyondTheLogIsRememberedAndItsFramesAreNotSentAgain) {
  auto again = Again("bert", 2);
  Settle();
  EXPECT_EQ(anna_->Heard(), "peer(attached cursor=0 third=0) peer(attached cursor=2 third=0)");
  anna_->Post(1, "a").Post(2, "b").Post(3, "c");
  Settle();
  EXPECT_EQ(anna_->Heard(), "posted(1) posted(2) posted(3)");
  EXPECT_EQ(again->Heard(), Opened("stored=0 peer=attached:0-0 cursor=0") + " message(3 c)");
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator),
            (LogState{.stored = 3, .forgotten = 2, .accepted = 2, .bytes = 1}));
}

TEST_F(Posts, AnAckBeyondTheLogToo) {
  bert_->Ack(1);
  Settle();
  EXPECT_EQ(bert_->Ended(), "");
  anna_->Post(1, "a").Post(2, "b");
  Settle();
  EXPECT_EQ(bert_->Heard(), "message(2 b)");
}

TEST_F(Posts, AnAuthorThatDoesNotReadIsToldInOne) {
  anna_->Stall(options_.limits.window_bytes);
  anna_->Post(1, "a").Post(2, "b").Post(3, "c");
  Settle();
  bert_->Ack(1);
  Settle();
  bert_->Ack(3);
  Settle();
  EXPECT_EQ(anna_->Heard(), "");
  anna_->Read();
  EXPECT_EQ(anna_->Heard(), "posted(3) peer(attached cursor=3 third=0)");
}

// A window of frames and what each of them takes beside its bytes.
TEST_F(Posts, AReaderWithAWindowOfFramesOnItsWayHasItsHeartbeatsAnswered) {
  bert_->Stall(options_.limits.window_bytes + options_.limits.window_bytes / 2);
  anna_->Post(1, "a");
  Settle();
  bert_->Heartbeat();
  EXPECT_TRUE(bert_->reads());
  EXPECT_EQ(bert_->Heard(), "heartbeat") << "and no frame";
  bert_->Read();
  Settle();
  EXPECT_EQ(bert_->Heard(), "message(1 a)");
}

TEST_F(Posts, AClientThatReadsNothingIsNotReadFurther) {
  anna_->Stall(2 * options_.limits.window_bytes);
  anna_->Heartbeat();
  EXPECT_FALSE(anna_->reads());
  EXPECT_EQ(anna_->Heard(), "");
  anna_->Read();
  EXPECT_EQ(anna_->Heard(), "heartbeat");
  EXPECT_TRUE(anna_->reads());
}

TEST_F(Posts, PostsDuringAChangeOfMembershipAreHandedOverAndStoredAfterIt) {
  anna_ = Stream("anna2");
  anna_->Allocate();
  Settle();
  id_ = anna_->id();
  bert_ = Stream("bert2");
  bert_->Claim(id_);
  anna_->Post(1, "a");
  EXPECT_EQ(store_.pending(), "Put") << "the append waits for the new version";
  store_.Answer();
  EXPECT_EQ(store_.pending(), "Append");
  Settle();
  EXPECT_EQ(bert_->Heard(), Opened("stored=0 peer=attached:0-0 cursor=0") + " message(1 a)");
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator).stored, 1u);
}

TEST_F(Posts, AppendsUnderWayBeforeAChangeOfMembershipStand) {
  anna_->Post(1, "a");
  bert_->Close(MOOD_HAPPY);
  EXPECT_EQ(store_.pending(), "Append Put");
  Settle();
  EXPECT_EQ(anna_->Heard(), "posted(1) peer(left cursor=0 third=0)");
  EXPECT_EQ(bert_->Ended(), "OK");
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator).stored, 1u);
}

TEST_F(Posts, APostThatWasHeldWhileThePeerLeftIsJudgedAgain) {
  bert_->Close(MOOD_HAPPY);
  anna_->Post(1, "a");
  EXPECT_EQ(store_.pending(), "Put");
  Settle();
  EXPECT_EQ(anna_->Ended(), "FAILED_PRECONDITION PEER_LEFT");
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator).stored, 0u);
}

TEST_F(Posts, AfterThePeerHasLeftAPostUpToItsCursorIsStored) {
  bert_->Ack(1);
  bert_->Close(MOOD_HAPPY);
  Settle();
  anna_->Heard();
  anna_->Post(1, "a");
  Settle();
  EXPECT_EQ(anna_->Heard(), "posted(1)");
  anna_->Post(2, "b");
  EXPECT_EQ(anna_->Ended(), "FAILED_PRECONDITION PEER_LEFT");
}

// Its cursor is ahead of the log, so that its peer may still post, and its next stream says none.
TEST_F(Posts, WhoHasLeftIsSentNothingMore) {
  bert_->Ack(1).Close(MOOD_HAPPY);
  Settle();
  auto again = Again("bert");
  Settle();
  anna_->Post(1, "a");
  Settle();
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator).stored, 1u);
  EXPECT_EQ(again->Heard(), Opened("stored=0 peer=attached:0-0 cursor=0 left"));
}

TEST_F(Posts, WhatASideHasPostedBeforeItLeftStaysForThePeer) {
  bert_->Detach();
  anna_->Post(1, "a").Close(MOOD_HAPPY);
  Settle();
  EXPECT_EQ(anna_->Ended(), "OK");
  auto again = Again("bert");
  Settle();
  EXPECT_EQ(again->Heard(), Opened("stored=0 peer=left:0-1 cursor=0") + " message(1 a)");
}

}  // namespace
}  // namespace wormhole::relay
