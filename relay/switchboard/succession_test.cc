// What one channel leaves to the next with its id, while somebody who waits for the id keeps it in
// memory: nothing.
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::MOOD_ERRORY;
using rendezvous::v1::MOOD_HAPPY;
using rendezvous::v1::MOOD_LONELY;

// Eight of the nine shortest ids are held by others, so that whoever allocates has the ninth; Carl
// waits for it.
class Succession : public SwitchboardTest {
 protected:
  Succession() {
    for (int i = 0; i < 8; ++i) {
      others_.push_back(Stream("other" + std::to_string(i)));
      others_.back()->Allocate(0, options_.limits.ttl_max);
      Settle();
      id_ -= others_.back()->id();
    }
    carl_ = Stream("carl");
    carl_->Wait(id_);
    Settle();
  }

  std::string Opened(const std::string& rest) const {
    return "opened(" + std::to_string(id_) + " " + rest + ")";
  }
  std::string At() const { return "(" + std::to_string(id_) + ")"; }

  // The quarantine of what has ended is over.
  void Rest() {
    Pass(options_.limits.quarantine);
    for (const auto& other : others_) other->Heartbeat();
    carl_->Heartbeat();
    switchboard_->Tick();
    ASSERT_TRUE(store_.Answer("Due") && store_.Answer("Erase"));
    carl_->Heard();
  }

  // A pair of strangers to whatever was before sees a new channel, and what they say gets through.
  void ExpectANewChannel() {
    events_.Heard();
    auto dora = Stream("dora");
    auto emil = Stream("emil");
    dora->Allocate();
    Settle();
    ASSERT_EQ(dora->id(), id_);
    EXPECT_EQ(dora->Heard(), Opened("stored=0 peer=absent:0-0 cursor=0"));
    emil->Claim(id_);
    Settle();
    EXPECT_EQ(emil->Heard(), Opened("stored=0 peer=attached:0-0 cursor=0"));
    EXPECT_EQ(dora->Heard(), "peer(attached cursor=0 third=0)");
    EXPECT_EQ(events_.Heard(), "allocated" + At() + " claimed" + At() + " paired" + At());
    for (const uint64_t number : {1, 2}) {
      dora->Post(number, "d");
      emil->Post(number, "e");
      Settle();
      const std::string n = std::to_string(number);
      EXPECT_EQ(dora->Heard(), "message(" + n + " e) posted(" + n + ")");
      EXPECT_EQ(emil->Heard(), "message(" + n + " d) posted(" + n + ")");
    }
    EXPECT_EQ(Stored(id_)->log(Role::kInitiator).accepted, 0u);
    dora->Close(MOOD_HAPPY);
    Settle();
    EXPECT_EQ(dora->Ended(), "OK");
    EXPECT_EQ(emil->Heard(), "peer(left cursor=0 third=0)");
    EXPECT_EQ(carl_->Ended(), "");
  }

  std::vector<std::unique_ptr<TestStream>> others_;
  std::unique_ptr<TestStream> carl_;
  uint32_t id_ = 45;
};

TEST_F(Succession, ACursorThatAClosingSideHadRaised) {
  auto anna = Stream("anna");
  auto bert = Stream("bert");
  ASSERT_EQ(Pair(*anna, *bert), id_);
  bert->Ack(7);
  bert->Close(MOOD_LONELY);
  Settle();
  EXPECT_EQ(anna->Ended(), "NOT_FOUND CLOSED MOOD_LONELY");
  Rest();
  ExpectANewChannel();
}

TEST_F(Succession, TheCursorOfAnInitiatorThatClosesAlone) {
  auto anna = Stream("anna");
  anna->Allocate();
  Settle();
  anna->Ack(7).Close(MOOD_ERRORY);
  Settle();
  Rest();
  ExpectANewChannel();
}

TEST_F(Succession, TheCursorOfTheSecondOfTwoThatLeave) {
  auto anna = Stream("anna");
  auto bert = Stream("bert");
  Pair(*anna, *bert);
  anna->Ack(9).Close(MOOD_HAPPY);
  Settle();
  bert->Ack(7).Close(MOOD_HAPPY);
  Settle();
  ExpectANewChannel();
}

TEST_F(Succession, ThirdPartiesThatWereCountedForSidesThatHaveGone) {
  auto anna = Stream("anna");
  auto bert = Stream("bert");
  Pair(*anna, *bert);
  anna->Detach();
  auto gina = Stream("gina");
  gina->Claim(id_);
  Settle();
  EXPECT_EQ(gina->Ended(), "ALREADY_EXISTS CROWDED");
  bert->Close(MOOD_LONELY);
  Settle();
  Rest();
  ExpectANewChannel();
}

TEST_F(Succession, PostsAndAcknowledgementsThatTheStoreAnswersLate) {
  auto anna = Stream("anna");
  auto bert = Stream("bert");
  Pair(*anna, *bert);
  anna->Post(1, "old");
  bert->Ack(3);
  EXPECT_EQ(store_.pending(), "Append Accept");
  Pass(options_.limits.ttl_default);
  for (const auto& other : others_) other->Heartbeat();
  for (TestStream* stream : {carl_.get(), anna.get(), bert.get()}) stream->Heartbeat();
  switchboard_->Tick();
  ASSERT_TRUE(store_.Answer("Due") && store_.Answer("Put"));
  EXPECT_EQ(anna->Ended(), "NOT_FOUND EXPIRED");
  Rest();
  auto dora = Stream("dora");
  dora->Allocate();
  ASSERT_TRUE(store_.Answer("Put"));
  EXPECT_EQ(store_.pending(), "Append Accept");
  Settle();
  auto emil = Stream("emil");
  emil->Claim(id_);
  Settle();
  dora->Post(1, "new");
  Settle();
  EXPECT_EQ(dora->Heard(), Opened("stored=0 peer=absent:0-0 cursor=0") +
                               " peer(attached cursor=0 third=0) posted(1)");
  EXPECT_EQ(emil->Heard(), Opened("stored=0 peer=attached:0-0 cursor=0") + " message(1 new)");
}

TEST_F(Succession, TheSidesOfASpentChannelJoinNoOther) {
  auto anna = Stream("anna");
  auto bert = Stream("bert");
  Pair(*anna, *bert);
  bert->Close(MOOD_HAPPY);
  anna->Close(MOOD_HAPPY);
  Settle();
  auto dora = Stream("dora");
  dora->Allocate();
  Settle();
  ASSERT_EQ(dora->id(), id_);
  // Late copies of what they have said.
  auto claim = Stream("bert");
  claim->Claim(id_);
  auto other_claim = Stream("bert");
  other_claim->Claim(others_.front()->id());
  auto allocation = Stream("anna");
  allocation->Allocate();
  Settle();
  EXPECT_EQ(claim->Ended(), "NOT_FOUND EXPIRED");
  EXPECT_EQ(other_claim->Ended(), "ALREADY_EXISTS SIDE_IN_USE");
  EXPECT_EQ(allocation->Ended(), "PERMISSION_DENIED NOT_MEMBER");
  auto emil = Stream("emil");
  emil->Claim(id_);
  Settle();
  EXPECT_EQ(emil->Heard(), Opened("stored=0 peer=attached:0-0 cursor=0"));
  EXPECT_EQ(dora->Heard(),
            Opened("stored=0 peer=absent:0-0 cursor=0") + " peer(attached cursor=0 third=0)");
}

TEST_F(Succession, ManyChannelsOneAfterTheOther) {
  for (int round = 0; round < 5; ++round) {
    const std::string n = std::to_string(round);
    auto anna = Stream("anna" + n);
    auto bert = Stream("bert" + n);
    ASSERT_EQ(Pair(*anna, *bert), id_);
    anna->Heard();
    bert->Heard();
    anna->Post(1, "a");
    bert->Post(1, "b");
    Settle();
    EXPECT_EQ(anna->Heard(), "message(1 b) posted(1)");
    anna->Ack(1);
    bert->Ack(1);
    Settle();
    EXPECT_EQ(anna->Heard(), "peer(attached cursor=1 third=0)");
    bert->Close(MOOD_HAPPY);
    anna->Close(MOOD_HAPPY);
    Settle();
    EXPECT_EQ(anna->Ended() + bert->Ended(), "OKOK");
  }
}

}  // namespace
}  // namespace wormhole::relay
