// Receivers that wait at another relay than the one that allocates.
#include <string>

#include "gtest/gtest.h"
#include "relay/switchboard/testing/group_harness.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::MOOD_LONELY;
using rendezvous::v1::MOOD_SCARY;

using GroupWaiters = GroupTest;

TEST_F(GroupWaiters, ClaimAChannelThatIsAllocatedElsewhere) {
  auto bert = west_.Stream("bert");
  bert->Wait(9);
  Settle();
  EXPECT_EQ(bert->Heard(), "waiting(9)");
  auto anna = east_.Stream("anna");
  anna->Allocate(9);
  Settle();
  EXPECT_EQ(bert->Heard(), "opened(9 stored=0 peer=attached:0-0 cursor=0)");
  EXPECT_EQ(anna->Heard(),
            "opened(9 stored=0 peer=absent:0-0 cursor=0) peer(detached cursor=0 third=0) "
            "peer(attached cursor=0 third=0)");
  anna->Post(1, "a");
  Settle();
  EXPECT_EQ(bert->Heard(), "message(1 a)");
}

TEST_F(GroupWaiters, TheFirstWinsTheOthersAreCrowdedAndTheMembersTold) {
  auto bert = west_.Stream("bert");
  auto carl = west_.Stream("carl");
  auto dora = east_.Stream("dora");
  bert->Wait(9);
  carl->Wait(9);
  Settle();
  auto anna = east_.Stream("anna");
  anna->Allocate(9);
  dora->Wait(9);
  east_.Answer();
  EXPECT_EQ(dora->Heard(), "opened(9 stored=0 peer=attached:0-0 cursor=0)")
      << "the first claim in the store";
  Settle();
  EXPECT_EQ(bert->Ended(), "ALREADY_EXISTS CROWDED");
  EXPECT_EQ(carl->Ended(), "ALREADY_EXISTS CROWDED");
  EXPECT_EQ(dora->Heard(), "peer(attached cursor=0 third=2)");
  EXPECT_EQ(Describe(anna->last()), "peer(attached cursor=0 third=2)");
}

TEST_F(GroupWaiters, OneThatHasBecomeTheReceiverElsewhereIsSeated) {
  auto carl = west_.Stream("carl");
  carl->Wait(9);
  auto bert = west_.Stream("bert");
  bert->Wait(9);
  Settle();
  auto old = east_.Stream("bert");
  old->Wait(9);
  auto anna = east_.Stream("anna");
  anna->Allocate(9);
  Settle();
  EXPECT_EQ(Stored(9)->record.member(Role::kReceiver).side, SideOf("bert"));
  EXPECT_EQ(carl->Ended(), "ALREADY_EXISTS CROWDED");
  EXPECT_EQ(bert->Heard(),
            "waiting(9) opened(9 stored=0 peer=attached:0-0 cursor=0) "
            "peer(attached cursor=0 third=1)");
  EXPECT_EQ(old->Ended(), "ABORTED SUPERSEDED");
}

TEST_F(GroupWaiters, AreNotJoinedToADrawnIdNorToTheirOwn) {
  auto anna = east_.Stream("anna");
  anna->Allocate(0, absl::ZeroDuration(), 1);
  auto bert = west_.Stream("bert");
  for (uint32_t id = 1; id < 10; ++id) {
    // Whatever id is drawn somebody waits for it.
    bert = west_.Stream("bert" + std::to_string(id));
    bert->Wait(id);
    west_.Answer();
    if (id == anna->id()) break;
  }
  Settle();
  EXPECT_EQ(bert->Ended(), "");
  auto own = west_.Stream("emil");
  own->Wait(77);
  Settle();
  auto emil = east_.Stream("emil");
  emil->Allocate(77);
  Settle();
  EXPECT_EQ(own->Ended(), "ALREADY_EXISTS SIDE_IN_USE");
  EXPECT_TRUE(Stored(77)->record.member(Role::kReceiver).side.empty());
}

TEST_F(GroupWaiters, WhoCloseWhileTheyClaimCloseTheChannel) {
  auto bert = west_.Stream("bert");
  bert->Wait(9);
  Settle();
  auto anna = east_.Stream("anna");
  anna->Allocate(9);
  east_.Answer();
  while (west_.store.TellNext()) {
  }
  while (west_.store.pending() == "Load") west_.store.Answer();
  EXPECT_EQ(west_.store.pending(), "Put");
  bert->Close(MOOD_LONELY);
  EXPECT_EQ(bert->Ended(), "");
  bert->Detach();
  Settle();
  EXPECT_EQ(anna->Ended(), "NOT_FOUND CLOSED MOOD_LONELY");
}

TEST_F(GroupWaiters, WithASideThatIsTakenMakeRoomForTheNext) {
  auto other = west_.Stream("other");
  other->Allocate();
  auto bad = west_.Stream("other");
  bad->Wait(90);
  auto bert = west_.Stream("bert");
  bert->Wait(90);
  Settle();
  auto anna = east_.Stream("anna");
  anna->Allocate(90);
  Settle();
  EXPECT_EQ(bad->Ended(), "ALREADY_EXISTS SIDE_IN_USE");
  EXPECT_EQ(Stored(90)->record.member(Role::kReceiver).side, SideOf("bert"));
}

TEST_F(GroupWaiters, WaitOnWhenTheChannelHasEndedBeforeTheyCouldClaim) {
  auto bert = west_.Stream("bert");
  bert->Wait(9);
  Settle();
  auto anna = east_.Stream("anna");
  anna->Allocate(9);
  east_.Answer();
  west_.store.TellNext();
  EXPECT_EQ(west_.store.pending(), "Load") << "which will find the channel";
  anna->Close(MOOD_SCARY);
  east_.Answer();
  Settle();
  EXPECT_EQ(bert->Heard(), "waiting(9)");
  EXPECT_EQ(bert->Ended(), "");
}

}  // namespace
}  // namespace wormhole::relay
