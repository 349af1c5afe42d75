// A store that was restored from an older copy, under the relays that use it.
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "relay/switchboard/testing/group_harness.h"

namespace wormhole::relay {
namespace {

constexpr char kSentAway[] = "UNAVAILABLE STORE_AWAY";

class SwitchboardRestoredTest : public GroupPairTest {
 protected:
  // The store has the channel with these frames of Anna's, and nobody has been told.
  void GoBackTo(const std::vector<std::string>& frames) { GoBackTo(Stored(id_)->record, frames); }
  void GoBackTo(const ChannelRecord& record, const std::vector<std::string>& frames) {
    tables_.channels().Erase(key(), record.version);
    for (uint64_t version = 0; version < record.version; ++version) {
      tables_.channels().Put(key(), version, record);
    }
    uint64_t number = 0;
    for (const std::string& frame : frames) {
      tables_.channels().Append(key(), record.version, Role::kInitiator, ++number, frame);
    }
  }
  ChannelRecord WithReceiver(const std::string& side) {
    ChannelRecord record = Stored(id_)->record;
    record.member(Role::kReceiver).side = side;
    return record;
  }
  void Tell() {
    east_.store.Restore();
    west_.store.Restore();
    Settle();
  }
  std::unique_ptr<TestStream> Again(Relay& relay, const std::string& name, uint64_t cursor = 0) {
    auto stream = relay.Stream(name);
    stream->Resume(id_, cursor);
    Settle();
    return stream;
  }
};

TEST_F(SwitchboardRestoredTest, WhoWasThereIsSentAwayAndSeesWhatThereIs) {
  anna_->Post(1, "a").Post(2, "b").Post(3, "c");
  Settle();
  bert_->Ack(1);
  Settle();
  GoBackTo({"a", "b"});
  Tell();
  EXPECT_EQ(anna_->Ended(), kSentAway);
  EXPECT_EQ(bert_->Ended(), kSentAway);
  anna_ = Again(east_, "anna");
  EXPECT_EQ(anna_->Heard(), Opened("stored=2 peer=detached:0-0 cursor=0"));
  anna_->Post(3, "c");
  Settle();
  EXPECT_EQ(anna_->Heard(), "posted(3)");
  bert_ = Again(west_, "bert", 1);
  EXPECT_EQ(bert_->Heard(),
            Opened("stored=0 peer=attached:0-3 cursor=0") + " message(2 b) message(3 c)");
}

// It is the next one for all that the relay knows: no fault of its author's.
TEST_F(SwitchboardRestoredTest, APostThatComesBeforeTheNewsIsNotRefused) {
  anna_->Post(1, "a").Post(2, "b");
  Settle();
  GoBackTo({"a"});
  anna_->Heard();
  anna_->Post(3, "c");
  Settle();
  EXPECT_EQ(anna_->Ended(), kSentAway);
  Tell();
  anna_ = Again(east_, "anna");
  EXPECT_EQ(anna_->Heard(), Opened("stored=1 peer=detached:0-0 cursor=0"));
  anna_->Post(2, "b").Post(3, "c");
  Settle();
  EXPECT_EQ(anna_->Heard(), "posted(2) posted(3)");
}

TEST_F(SwitchboardRestoredTest, AChannelThatIsGoneIsUnknown) {
  tables_.channels().Erase(key(), Stored(id_)->record.version);
  Tell();
  anna_ = Again(west_, "anna");
  EXPECT_EQ(anna_->Ended(), "NOT_FOUND NEVER_ALLOCATED");
  bert_ = east_.Stream("bert");
  bert_->Allocate(id_);
  Settle();
  EXPECT_EQ(bert_->Heard(), Opened("stored=0 peer=absent:0-0 cursor=0"));
}

TEST_F(SwitchboardRestoredTest, WaitersComeAgain) {
  auto waiter = west_.Stream("carl");
  waiter->Wait(77);
  Settle();
  Tell();
  EXPECT_EQ(waiter->Ended(), kSentAway);
  waiter = west_.Stream("carl");
  waiter->Wait(77);
  Settle();
  EXPECT_EQ(waiter->Ended(), "");
}

// What Bert has accepted the next receiver has still to be sent.
TEST_F(SwitchboardRestoredTest, WhoIsNoMemberYetIsSentAwayAndForgetsNothing) {
  anna_->Post(1, "a");
  Settle();
  GoBackTo(WithReceiver(""), {"a"});
  bert_->Ack(1);
  EXPECT_EQ(west_.store.pending(), "Accept");
  Settle();
  EXPECT_EQ(bert_->Ended(), kSentAway);
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator), (LogState{.stored = 1, .bytes = 1}));
  bert_ = Again(west_, "bert", 1);
  EXPECT_EQ(bert_->Ended(), "PERMISSION_DENIED NOT_MEMBER");
}

TEST_F(SwitchboardRestoredTest, WhoseChannelHasAnotherMemberIsSentAwayAndForgetsNothing) {
  anna_->Post(1, "a");
  Settle();
  GoBackTo(WithReceiver(SideOf("carl")), {"a"});
  bert_->Ack(1);
  Settle();
  EXPECT_EQ(bert_->Ended(), kSentAway);
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator), (LogState{.stored = 1, .bytes = 1}));
  const auto carl = Again(west_, "carl");
  EXPECT_EQ(carl->Heard(), Opened("stored=0 peer=attached:0-1 cursor=0") + " message(1 a)");
}

// The store may have the record all the same, with the presence that came along with it.
TEST_F(GroupTest, WhoseClaimWasUnderWayIsNotAttached) {
  auto anna = east_.Stream("anna");
  anna->Allocate();
  Settle();
  auto bert = west_.Stream("bert");
  bert->Claim(anna->id());
  west_.store.Answer();
  ASSERT_EQ(west_.store.pending(), "Put");
  west_.store.Restore();
  Settle();
  EXPECT_EQ(bert->Ended(), kSentAway);
  ASSERT_EQ(Stored(anna->id())->record.member(Role::kReceiver).side, SideOf("bert"));
  EXPECT_EQ(Describe(anna->last()), "peer(detached cursor=0 third=0)");
}

}  // namespace
}  // namespace wormhole::relay
