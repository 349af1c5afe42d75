// Receivers that come first.
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::MOOD_LONELY;
using rendezvous::v1::MOOD_SCARY;

using Waiters = SwitchboardTest;

TEST_F(Waiters, AreToldAtOnceAndJoinTheAllocationByName) {
  auto bert = Stream("bert");
  bert->Wait(9);
  Settle();
  EXPECT_EQ(bert->Heard(), "waiting(9)");
  EXPECT_FALSE(Stored(9).has_value()) << "waiting claims nothing";
  auto anna = Stream("anna");
  anna->Allocate(9);
  EXPECT_EQ(store_.pending(), "Put");
  EXPECT_EQ(bert->Heard(), "");
  Settle();
  EXPECT_EQ(Stored(9)->record.member(Role::kReceiver).side, SideOf("bert"));
  EXPECT_EQ(Stored(9)->record.version, 1u) << "in the allocation's transaction";
  EXPECT_EQ(bert->Heard(), "opened(9 stored=0 peer=attached:0-0 cursor=0)");
  EXPECT_EQ(anna->Heard(),
            "opened(9 stored=0 peer=detached:0-0 cursor=0) peer(attached cursor=0 third=0)");
  anna->Post(1, "a");
  bert->Post(1, "b");
  Settle();
  EXPECT_EQ(bert->Heard(), "message(1 a) posted(1)");
  EXPECT_EQ(anna->Heard(), "message(1 b) posted(1)");
}

TEST_F(Waiters, TheFirstWinsTheOthersAreCrowdedAndTheMembersTold) {
  auto bert = Stream("bert");
  auto carl = Stream("carl");
  auto dora = Stream("dora");
  bert->Wait(9);
  carl->Wait(9);
  dora->Wait(9);
  Settle();
  auto anna = Stream("anna");
  anna->Allocate(9);
  Settle();
  EXPECT_EQ(carl->Ended(), "ALREADY_EXISTS CROWDED");
  EXPECT_EQ(dora->Ended(), "ALREADY_EXISTS CROWDED");
  EXPECT_EQ(bert->Heard(),
            "waiting(9) opened(9 stored=0 peer=attached:0-0 cursor=0) "
            "peer(attached cursor=0 third=2)");
  EXPECT_EQ(anna->Heard(),
            "opened(9 stored=0 peer=detached:0-0 cursor=0) peer(attached cursor=0 third=2)");
}

TEST_F(Waiters, AreNotJoinedToADrawnId) {
  std::vector<std::unique_ptr<TestStream>> streams;
  for (int i = 0; i < 8; ++i) {
    streams.push_back(Stream("client" + std::to_string(i)));
    streams.back()->Allocate();
    Settle();
  }
  uint32_t free = 45;
  for (const auto& stream : streams) free -= stream->id();
  auto bert = Stream("bert");
  bert->Wait(free);
  Settle();
  auto anna = Stream("anna");
  anna->Allocate();
  Settle();
  ASSERT_EQ(anna->id(), free);
  EXPECT_EQ(bert->Heard(), "waiting(" + std::to_string(free) + ")");
  EXPECT_EQ(bert->Ended(), "");
  auto carl = Stream("carl");
  carl->Wait(free);
  Settle();
  EXPECT_EQ(carl->Heard(), "waiting(" + std::to_string(free) + ")");
  // When the drawn channel is over and forgotten, the wait bears fruit.
  anna->Close(MOOD_LONELY);
  Settle();
  EXPECT_EQ(bert->Ended(), "");
  for (int quiet = 0; quiet < 20; ++quiet) {
    Pass(options_.limits.quarantine / 20);
    bert->Heartbeat();
    carl->Heartbeat();
    Tick();
  }
  auto named = Stream("named");
  named->Allocate(free);
  Settle();
  EXPECT_EQ(named->id(), free);
  EXPECT_EQ(bert->last().peer_status().third_parties(), 1u);
  EXPECT_EQ(carl->Ended(), "ALREADY_EXISTS CROWDED");
}

TEST_F(Waiters, WhoComeAfterTheAllocationClaimIt) {
  auto anna = Stream("anna");
  anna->Allocate(9);
  auto bert = Stream("bert");
  bert->Wait(9);  // while the allocation is under way
  Settle();
  EXPECT_EQ(bert->Heard(), "opened(9 stored=0 peer=attached:0-0 cursor=0)");
  auto carl = Stream("carl");
  carl->Wait(9);
  Settle();
  EXPECT_EQ(carl->Ended(), "ALREADY_EXISTS CROWDED");
  auto again = Stream("bert");
  again->Wait(9);
  Settle();
  EXPECT_EQ(again->Heard(), "opened(9 stored=0 peer=attached:0-0 cursor=0)");
}

TEST_F(Waiters, WhoseStreamHasEndedAreNone) {
  auto bert = Stream("bert");
  bert->Wait(9);
  auto carl = Stream("carl");
  carl->Wait(9);
  Settle();
  bert->Detach();
  auto anna = Stream("anna");
  anna->Allocate(9);
  Settle();
  EXPECT_EQ(Stored(9)->record.member(Role::kReceiver).side, SideOf("carl"));
}

TEST_F(Waiters, WhoGoWhileTheyAreBeingJoinedAreMembers) {
  auto bert = Stream("bert");
  bert->Wait(9);
  Settle();
  auto anna = Stream("anna");
  anna->Allocate(9);
  bert->Detach();
  Settle();
  EXPECT_EQ(anna->Heard(), "opened(9 stored=0 peer=detached:0-0 cursor=0)");
  auto again = Stream("bert");
  again->Wait(9);
  Settle();
  EXPECT_EQ(again->Heard(), "opened(9 stored=0 peer=attached:0-0 cursor=0)");
}

TEST_F(Waiters, TheSameSideTwiceIsTheLaterOne) {
  auto bert = Stream("bert");
  bert->Wait(9);
  Settle();
  auto again = Stream("bert");
  again->Wait(9);
  Settle();
  EXPECT_EQ(bert->Ended(), "ABORTED SUPERSEDED");
  auto anna = Stream("anna");
  anna->Allocate(9);
  Settle();
  EXPECT_EQ(again->Heard(), "waiting(9) opened(9 stored=0 peer=attached:0-0 cursor=0)");
  EXPECT_EQ(anna->last().peer_status().third_parties(), 0u);
}

TEST_F(Waiters, MaySendHeartbeatsAndCloseAndNothingElse) {
  auto bert = Stream("bert");
  bert->Wait(9);
  Settle();
  bert->Heartbeat();
  EXPECT_EQ(bert->Heard(), "waiting(9) heartbeat");
  bert->Close(MOOD_LONELY);
  EXPECT_EQ(bert->Ended(), "OK");
  auto posting = Stream("posting");
  posting->Wait(9);
  auto acking = Stream("acking");
  acking->Wait(9);
  Settle();
  posting->Post(1, "x");
  acking->Ack(1);
  EXPECT_EQ(posting->Ended(), "INVALID_ARGUMENT MALFORMED post");
  EXPECT_EQ(acking->Ended(), "INVALID_ARGUMENT MALFORMED ack");
  auto anna = Stream("anna");
  anna->Allocate(9);
  Settle();
  EXPECT_EQ(anna->Heard(), "opened(9 stored=0 peer=absent:0-0 cursor=0)");
}

TEST_F(Waiters, WhoCloseWhileTheyAreBeingJoinedCloseTheChannel) {
  auto bert = Stream("bert");
  bert->Wait(9);
  Settle();
  auto anna = Stream("anna");
  anna->Allocate(9);
  bert->Close(MOOD_LONELY);
  bert->Detach();
  Settle();
  EXPECT_EQ(anna->Ended(), "NOT_FOUND CLOSED MOOD_LONELY");
}

TEST_F(Waiters, WhoCloseWhileAnAllocationFailsJustGo) {
  auto carl = Stream("carl");
  carl->Allocate();
  Settle();
  auto bert = Stream("bert");
  bert->Wait(90);
  Settle();
  auto carl_again = Stream("carl");
  carl_again->Allocate(90);
  bert->Close(MOOD_LONELY);
  EXPECT_EQ(bert->Ended(), "");
  Settle();
  EXPECT_EQ(carl_again->Ended(), "ALREADY_EXISTS SIDE_IN_USE");
  EXPECT_EQ(bert->Ended(), "OK");
}

// Carl's side rests at the id, whose next channel has gone already.
TEST_F(Waiters, WhoCloseWhileAnAllocationIsRefusedForGoodJustGo) {
  const ChannelKey key{.app_id = kApp, .id = 9};
  const absl::Time now = absl::UnixEpoch() + now_;
  MemoryChannels& stored = store_.contents();
  stored.Put(key, 0, NewChannel(SideOf("carl"), "", false, absl::Hours(1), now, options_.limits));
  stored.Put(key, 1,
             *relay::Close(Stored(9)->record, Role::kInitiator, MOOD_LONELY, now, options_.limits));
  stored.Put(key, 2, NewChannel(SideOf("dora"), "", false, absl::Hours(1), now, options_.limits));
  ASSERT_EQ(stored.Erase(key, 3), PutOutcome::kDone);
  auto bert = Stream("bert");
  bert->Wait(9);
  Settle();
  auto carl = Stream("carl");
  carl->Allocate(9);
  for (const char* call : {"Put", "FindSide", "Load", "Put"}) ASSERT_TRUE(store_.Answer(call));
  ASSERT_EQ(store_.pending(), "FindSide");
  bert->Close(MOOD_LONELY);
  EXPECT_EQ(bert->Ended(), "");
  Settle();
  EXPECT_EQ(carl->Ended(), "NOT_FOUND EXPIRED");
  EXPECT_EQ(bert->Ended(), "OK");
}

TEST_F(Waiters, WithASideThatIsTakenDoNotHarmTheAllocation) {
  auto other = Stream("other");
  other->Allocate();
  Settle();
  auto bad = Stream("other");
  bad->Wait(90);
  auto bert = Stream("bert");
  bert->Wait(90);
  Settle();
  auto anna = Stream("anna");
  anna->Allocate(90);
  Settle();
  EXPECT_EQ(bad->Ended(), "ALREADY_EXISTS SIDE_IN_USE");
  EXPECT_EQ(anna->Ended(), "");
  EXPECT_EQ(Stored(90)->record.member(Role::kReceiver).side, SideOf("bert"));
}

TEST_F(Waiters, AreNotTheirOwnPeer) {
  auto wait = Stream("anna");
  wait->Wait(90);
  Settle();
  auto anna = Stream("anna");
  anna->Allocate(90);
  Settle();
  EXPECT_EQ(wait->Ended(), "ALREADY_EXISTS SIDE_IN_USE");
  EXPECT_EQ(anna->Heard(), "opened(90 stored=0 peer=absent:0-0 cursor=0)");
}

TEST_F(Waiters, AreAtMostSixteenForOneId) {
  std::vector<std::unique_ptr<TestStream>> streams;
  for (int i = 0; i < 16; ++i) {
    streams.push_back(Stream("waiter" + std::to_string(i)));
    streams.back()->Wait(9);
    Settle();
    EXPECT_EQ(streams.back()->Heard(), "waiting(9)");
  }
  auto late = Stream("late");
  late->Wait(9);
  Settle();
  EXPECT_EQ(late->Ended(), "RESOURCE_EXHAUSTED BUSY");
  EXPECT_TRUE(error::DetailOf(late->status())->has_retry_delay());
  auto remote = Stream("elsewhere");
  remote->Wait(8);
  auto again = Stream("waiter3");
  again->Wait(9);
  Settle();
  EXPECT_EQ(remote->Heard(), "waiting(8)");
  EXPECT_EQ(again->Heard(), "waiting(9)") << "in its own place";
  streams.front()->Detach();
  auto later = Stream("late");
  later->Wait(9);
  Settle();
  EXPECT_EQ(later->Heard(), "waiting(9)");
}

TEST_F(Waiters, OfAnEndedChannelOfTheirOwnAreNotFound) {
  auto anna = Stream("anna");
  auto bert = Stream("bert");
  anna->Allocate(9);
  bert->Wait(9);
  Settle();
  anna->Close(MOOD_SCARY);
  Settle();
  auto again = Stream("bert");
  again->Wait(9);
  auto carl = Stream("carl");
  carl->Wait(9);
  Settle();
  EXPECT_EQ(again->Ended(), "NOT_FOUND CLOSED MOOD_SCARY");
  EXPECT_EQ(carl->Heard(), "waiting(9)");
}

}  // namespace
}  // namespace wormhole::relay
