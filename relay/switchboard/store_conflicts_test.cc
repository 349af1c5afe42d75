// A store that another relay has changed, or that fails.
#include <string>

#include "gtest/gtest.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::MOOD_SCARY;

using Surprises = SwitchboardPairTest;

TEST_F(Surprises, AnotherRelaysChangeIsLoadedAndPostsFollowInOrder) {
  ChannelRecord record = Stored(id_)->record;
  record.due_at += absl::Hours(1);
  store_.contents().Put(key(), record.version, record);
  anna_->Post(1, "a").Post(2, "b");
  EXPECT_EQ(store_.pending(), "Append Append");
  store_.Answer();
  EXPECT_EQ(store_.pending(), "Append Load");
  store_.Answer("Load");
  anna_->Post(3, "c");
  EXPECT_EQ(store_.pending(), "Append") << "what the store has not refused yet goes first";
  store_.Answer();
  EXPECT_EQ(store_.pending(), "Append Append Append");
  anna_->Post(4, "d");
  Settle();
  EXPECT_EQ(anna_->Heard(), "posted(1) posted(2) posted(3) posted(4)");
  EXPECT_EQ(bert_->Heard(), "message(1 a) message(2 b) message(3 c) message(4 d)");
}

TEST_F(Surprises, OneLoadServesAllPostsOfAVersion) {
  ChannelRecord record = Stored(id_)->record;
  record.due_at += absl::Hours(1);
  store_.contents().Put(key(), record.version, record);
  anna_->Post(1, "a").Post(2, "b");
  store_.Answer();
  store_.Answer("Append");
  EXPECT_EQ(store_.pending(), "Load");
  store_.Answer();
  EXPECT_EQ(store_.pending(), "Append Append");
  Settle();
  EXPECT_EQ(anna_->Heard(), "posted(1) posted(2)");
  EXPECT_EQ(bert_->Heard(), "message(1 a) message(2 b)");
}

TEST_F(Surprises, AnotherRelayHasEndedTheChannel) {
  ChannelRecord record = *Close(Stored(id_)->record, Role::kReceiver, MOOD_SCARY,
                                absl::UnixEpoch() + now_, options_.limits);
  store_.contents().Put(key(), record.version, record);
  anna_->Post(1, "a");
  Settle();
  EXPECT_EQ(anna_->Ended(), "NOT_FOUND CLOSED MOOD_SCARY");
  EXPECT_EQ(bert_->Ended(), "NOT_FOUND CLOSED MOOD_SCARY");
}

TEST_F(Surprises, AnotherRelayHasReplacedTheChannel) {
  store_.contents().Erase(key(), Stored(id_)->record.version);
  Pass(absl::Seconds(1));
  store_.contents().Put(key(), 0,
                        NewChannel("somebody else...", "", false, absl::Hours(1),
                                   absl::UnixEpoch() + now_, options_.limits));
  anna_->Post(1, "a");
  Settle();
  EXPECT_EQ(anna_->Ended(), "NOT_FOUND EXPIRED");
  EXPECT_EQ(bert_->Ended(), "NOT_FOUND EXPIRED");
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator).stored, 0u);
}

TEST_F(Surprises, AnAckOfAChannelThatIsGone) {
  store_.contents().Erase(key(), Stored(id_)->record.version);
  bert_->Ack(1);
  Settle();
  EXPECT_EQ(bert_->Ended(), "NOT_FOUND EXPIRED");
  EXPECT_EQ(anna_->Ended(), "NOT_FOUND EXPIRED");
}

// The same side at another relay has posted other bytes.
TEST_F(Surprises, AnotherRelayHasStoredOtherBytes) {
  store_.contents().Append(key(), Stored(id_)->record.version, Role::kInitiator, 1, "A");
  anna_->Post(1, "a");
  Settle();
  EXPECT_EQ(anna_->Ended(), "ABORTED CONFLICT");
}

TEST_F(Surprises, FramesThatVanishedFromUnderAReaderEndItsStream) {
  bert_->Detach();
  anna_->Post(1, "a").Post(2, "b").Post(3, "c");
  Settle();
  // By another copy of bert, elsewhere.
  ASSERT_TRUE(store_.contents().Accept(key(), Role::kInitiator, 2).ok());
  auto again = Again("bert");
  Settle();
  EXPECT_EQ(again->Ended(), "UNAVAILABLE STORE_AWAY");
  auto third = Again("bert");
  Settle();
  EXPECT_EQ(third->Heard(), Opened("stored=0 peer=attached:2-3 cursor=0"))
      << "and the next sees why";
}

TEST_F(Surprises, AFailedCommitPostsNothingAndEndsBothStreams) {
  store_.set_away(true);
  anna_->Post(1, "a");
  EXPECT_EQ(bert_->Heard(), "message(1 a)");
  Settle();
  EXPECT_EQ(anna_->Heard(), "");
  EXPECT_EQ(anna_->Ended(), "UNAVAILABLE STORE_AWAY");
  EXPECT_EQ(bert_->Ended(), "UNAVAILABLE STORE_AWAY");
  store_.set_away(false);
  auto anna = Again("anna");
  auto bert = Again("bert", 1);
  Settle();
  anna->Post(1, "a").Post(2, "b");
  Settle();
  EXPECT_EQ(anna->Heard(), Opened("stored=0 peer=detached:0-0 cursor=0") +
                               " peer(attached cursor=0 third=0) peer(attached cursor=1 third=0) "
                               "posted(1) posted(2)");
  EXPECT_EQ(bert->Heard(), Opened("stored=0 peer=attached:0-0 cursor=0") + " message(2 b)");
}

TEST_F(Surprises, AnswersThatComeAfterAFailureAreIgnored) {
  anna_->Post(1, "a").Post(2, "b");
  bert_->Ack(1);
  store_.Fail();
  auto again = Again("anna");
  Settle();
  EXPECT_EQ(again->Heard(), Opened("stored=2 peer=detached:0-0 cursor=1"));
}

}  // namespace
}  // namespace wormhole::relay
