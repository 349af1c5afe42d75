// Two sides at two relays over one store.
#include <memory>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "relay/switchboard/testing/group_harness.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::MOOD_HAPPY;
using rendezvous::v1::MOOD_SCARY;

constexpr int kThird = 3;  // a relay that acts behind the backs of the two

class Group : public GroupPairTest {
 protected:
  // Another relay has made emil's and dora's channel in the place of this one, and dora comes.
  std::unique_ptr<TestStream> DoraGoesOnInTheNext() {
    tables_.Erase(kThird, key(), Stored(id_)->record.version);
    tables_.Put(kThird, key(), 0,
                NewChannel(SideOf("emil"), SideOf("dora"), true, absl::Hours(1),
                           absl::UnixEpoch() + now_, options_.limits));
    auto dora = west_.Stream("dora");
    dora->Resume(id_);
    west_.Answer();
    Settle();
    return dora;
  }
};

TEST_F(Group, TheSidesSeeEachOther) {
  EXPECT_EQ(opening_.first, Opened("stored=0 peer=absent:0-0 cursor=0") +
                                " peer(detached cursor=0 third=0) peer(attached cursor=0 third=0)");
  EXPECT_EQ(opening_.second, Opened("stored=0 peer=attached:0-0 cursor=0"));
  bert_->Detach();
  Settle();
  EXPECT_EQ(anna_->Heard(), "peer(detached cursor=0 third=0)");
  auto again = west_.Stream("bert");
  again->Resume(id_);
  Settle();
  EXPECT_EQ(anna_->Heard(), "peer(attached cursor=0 third=0)");
}

TEST_F(Group, FramesAndCursorsGoAcrossWithoutALoad) {
  anna_->Post(1, "a").Post(2, "b");
  east_.Answer();
  EXPECT_EQ(anna_->Heard(), "posted(1) posted(2)");
  while (west_.store.TellNext()) {
  }
  EXPECT_EQ(west_.store.pending(), "") << "the news bring the frames along";
  EXPECT_EQ(bert_->Heard(), "message(1 a) message(2 b)");
  bert_->Ack(2).Post(1, "c");
  west_.Answer();
  while (east_.store.TellNext()) {
  }
  EXPECT_EQ(east_.store.pending(), "");
  EXPECT_EQ(anna_->Heard(), "peer(attached cursor=2 third=0) message(1 c)");
}

// The answer to a post may be the first to show it, before the news do.
TEST_F(Group, AnAuthorHearsOfACursorHoweverItComes) {
  anna_->Post(1, "a");
  Settle();
  bert_->Ack(1);
  west_.Answer();
  anna_->Post(2, "b");
  east_.Answer();
  EXPECT_EQ(anna_->Heard(), "posted(1) posted(2) peer(attached cursor=1 third=0)");
}

TEST_F(Group, AReaderThatIsBehindIsPumped) {
  bert_->Stall(options_.limits.window_bytes);
  anna_->Post(1, "a").Post(2, "b");
  Settle();
  EXPECT_EQ(bert_->Heard(), "");
  bert_->Read();
  Settle();
  EXPECT_EQ(bert_->Heard(), "message(1 a) message(2 b)");
}

TEST_F(Group, LostNewsAreCaughtUpWith) {
  anna_->Post(1, "a").Post(2, "b");
  east_.Answer();
  west_.store.LoseNews();
  EXPECT_EQ(west_.store.pending(), "Load");
  Settle();
  EXPECT_EQ(bert_->Heard(), "message(1 a) message(2 b)");
  bert_->Ack(2).Close(MOOD_HAPPY);
  west_.Answer();
  east_.store.LoseNews();
  Settle();
  EXPECT_EQ(anna_->Heard(), "posted(1) posted(2) peer(left cursor=2 third=0)");
}

TEST_F(Group, NewsDuringALoadAskForAnother) {
  west_.store.LoseNews();
  EXPECT_EQ(west_.store.pending(), "Load");
  anna_->Post(1, "a");
  Settle();
  EXPECT_EQ(bert_->Heard(), "message(1 a)");
  EXPECT_EQ(west_.store.pending(), "");
}

// A store may answer them in another order than that in which it has carried them out.
TEST_F(Group, AChangeIsNotUndoneByALookThatWasTakenBeforeIt) {
  auto moved = west_.Stream("anna");
  moved->Resume(id_);
  Settle();
  moved->Heard();
  west_.store.LoseNews();
  bert_->Close(MOOD_HAPPY);
  ASSERT_EQ(west_.store.pending(), "Load Put");
  west_.store.AnswerNewest();
  EXPECT_EQ(moved->Heard(), "peer(left cursor=0 third=0)");
  Settle();
  EXPECT_EQ(moved->Heard(), "") << "the peer is still gone";
}

TEST_F(Group, AnOlderStreamElsewhereIsSuperseded) {
  auto again = east_.Stream("bert");
  again->Resume(id_);
  Settle();
  EXPECT_EQ(bert_->Ended(), "ABORTED SUPERSEDED");
  EXPECT_EQ(again->Ended(), "");
  bert_->Detach();
  anna_->Post(1, "a");
  Settle();
  EXPECT_EQ(again->Heard(), Opened("stored=0 peer=attached:0-0 cursor=0") + " message(1 a)");
  EXPECT_EQ(anna_->Heard(), "peer(attached cursor=0 third=0) posted(1)") << "nobody has gone";
  // And back, while the news of the first move are still on their way.
  auto third = west_.Stream("bert");
  third->Resume(id_, 1);
  auto fourth = east_.Stream("bert");
  fourth->Resume(id_, 1);
  east_.Answer();
  Settle();
  EXPECT_EQ((third->Ended() == "") + (fourth->Ended() == ""), 1) << "one of them stays";
}

// What it was superseded by has come and gone while nothing was heard of it.
TEST_F(Group, AStreamIsSupersededByOneThatWasShort) {
  {
    auto again = east_.Stream("bert");
    again->Resume(id_);
    east_.Answer();
    again->Detach();
  }
  anna_->Heard();
  west_.store.LoseNews();
  Settle();
  EXPECT_EQ(bert_->Ended(), "ABORTED SUPERSEDED");
  EXPECT_EQ(anna_->Heard(), "") << "he is known to be gone";
  // And whoever comes afterwards stays.
  auto third = west_.Stream("bert");
  third->Resume(id_);
  Settle();
  west_.store.LoseNews();
  Settle();
  EXPECT_EQ(third->Ended(), "");
}

TEST_F(Group, WhoComesIsToldWhatTheStoreHasNow) {
  anna_->Post(1, "a").Post(2, "b");
  east_.Answer();
  auto moved = west_.Stream("anna");
  moved->Resume(id_);  // the west has heard nothing of the posts
  west_.Answer();
  EXPECT_EQ(moved->Heard(), Opened("stored=2 peer=attached:0-0 cursor=0"));
  EXPECT_EQ(bert_->Heard(), "peer(attached cursor=0 third=0) message(1 a) message(2 b)");
}

TEST_F(Group, WhoComesDuringALoadIsAnsweredFromTheNext) {
  west_.store.LoseNews();
  anna_->Post(1, "a");
  east_.Answer();
  auto moved = west_.Stream("anna");
  moved->Resume(id_);
  west_.store.Answer();
  EXPECT_EQ(moved->Heard(), "");
  EXPECT_EQ(west_.store.pending(), "Load");
  west_.Answer();
  EXPECT_EQ(moved->Heard(), Opened("stored=1 peer=attached:0-0 cursor=0"));
}

TEST_F(Group, AnEndEndsTheStreamsElsewhere) {
  bert_->Close(MOOD_SCARY);
  Settle();
  EXPECT_EQ(bert_->Ended(), "OK");
  EXPECT_EQ(anna_->Ended(), "NOT_FOUND CLOSED MOOD_SCARY");
}

TEST_F(Group, APeerThatHasLeftIsSeenSo) {
  bert_->Post(1, "b").Close(MOOD_HAPPY);
  Settle();
  EXPECT_EQ(anna_->Heard(), "message(1 b) peer(left cursor=0 third=0)");
  anna_->Post(1, "a");
  Settle();
  EXPECT_EQ(anna_->Ended(), "FAILED_PRECONDITION PEER_LEFT");
}

TEST_F(Group, ThirdPartiesAreToldOfEverywhere) {
  auto carl = west_.Stream("carl");
  carl->Claim(id_);
  Settle();
  EXPECT_EQ(carl->Ended(), "ALREADY_EXISTS CROWDED");
  EXPECT_EQ(anna_->Heard(), "peer(attached cursor=0 third=1)");
  EXPECT_EQ(bert_->Heard(), "peer(attached cursor=0 third=1)");
}

TEST_F(Group, AStoreThatIsAwayFromOneRelayLeavesTheOther) {
  west_.store.set_away(true);
  bert_->Post(1, "b");
  Settle();
  EXPECT_EQ(bert_->Ended(), "UNAVAILABLE STORE_AWAY");
  anna_->Post(1, "a");
  Settle();
  EXPECT_EQ(anna_->Heard(), "peer(detached cursor=0 third=0) posted(1)");
  auto again = east_.Stream("bert");
  again->Resume(id_);
  Settle();
  EXPECT_EQ(again->Heard(), Opened("stored=0 peer=attached:0-1 cursor=0") + " message(1 a)");
}

TEST_F(Group, ARelayThatEndsTakesNothingAlong) {
  west_.switchboard.reset();
  Settle();
  EXPECT_EQ(anna_->Heard(), "peer(detached cursor=0 third=0)");
  auto again = east_.Stream("bert");
  again->Resume(id_);
  Settle();
  EXPECT_EQ(anna_->Heard(), "peer(attached cursor=0 third=0)");
}

// A relay that is slow to hear of things acts on what is no more.
TEST_F(Group, AnEarlierChannelDoesNotTouchTheNextOneWithItsId) {
  anna_->Post(1, "a");
  Settle();
  auto again = east_.Stream("bert");
  again->Resume(id_, 1);
  Settle();
  auto third = west_.Stream("bert");
  third->Resume(id_, 1);
  Settle();
  anna_->Close(MOOD_SCARY);
  east_.Answer();
  tables_.Erase(kThird, key(), Stored(id_)->record.version);
  tables_.Put(kThird, key(), 0,
              NewChannel(SideOf("emil"), SideOf("dora"), true, absl::Hours(1),
                         absl::UnixEpoch() + now_, options_.limits));
  tables_.Append(kThird, key(), 1, Role::kInitiator, 1, "e");
  third->Post(1, "b").Ack(2);
  west_.Answer();
  EXPECT_EQ(third->Ended(), "NOT_FOUND EXPIRED");
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator), (LogState{.stored = 1, .bytes = 1}));
  EXPECT_EQ(Stored(id_)->log(Role::kReceiver), LogState());
}

TEST_F(Group, ACloseDoesNotEndTheNextChannelWithTheId) {
  tables_.Erase(kThird, key(), Stored(id_)->record.version);
  tables_.Put(kThird, key(), 0,
              NewChannel(SideOf("emil"), "", true, absl::Hours(1), absl::UnixEpoch() + now_,
                         options_.limits));
  bert_->Close(MOOD_SCARY);
  west_.Answer();
  EXPECT_EQ(bert_->Ended(), "NOT_FOUND EXPIRED");
  EXPECT_FALSE(Stored(id_)->record.ended());
}

TEST_F(Group, LateNewsOfAnEarlierChannelAreNotTakenForTheNextOnes) {
  anna_->Post(1, "a").Post(2, "b");
  east_.Answer();
  auto dora = DoraGoesOnInTheNext();
  EXPECT_EQ(dora->Heard(), Opened("stored=0 peer=detached:0-0 cursor=0"))
      << "anna is attached, in the channel that was";
  EXPECT_EQ(bert_->Ended(), "NOT_FOUND EXPIRED");
}

TEST_F(Group, LateNewsOfPresenceInAnEarlierChannelAreNotTheNextOnes) {
  auto again = east_.Stream("anna");
  again->Resume(id_);
  east_.Answer();
  auto dora = DoraGoesOnInTheNext();
  EXPECT_EQ(dora->Heard(), Opened("stored=0 peer=detached:0-0 cursor=0"))
      << "anna has attached, in the channel that was, and emil has not";
}

TEST_F(Group, ALateCountOfThirdPartiesIsNotTheNextChannels) {
  tables_.TellThirdParties(kThird, {key(), SideOf("anna")}, 1);
  auto dora = DoraGoesOnInTheNext();
  EXPECT_EQ(dora->Heard(), Opened("stored=0 peer=detached:0-0 cursor=0"));
}

TEST_F(Group, IdsOfTheOtherRelayAreNotDrawn) {
  std::vector<std::unique_ptr<TestStream>> streams;
  for (int i = 0; i < 8; ++i) {
    streams.push_back((i % 2 == 0 ? east_ : west_).Stream("client" + std::to_string(i)));
    streams.back()->Allocate();
    Settle();
    EXPECT_LT(streams.back()->id(), 10u);
  }
  auto tenth = west_.Stream("tenth");
  tenth->Allocate();
  Settle();
  EXPECT_GE(tenth->id(), 10u);
  // What is free again may be drawn at both.
  bert_->Close(MOOD_SCARY);
  Settle();
  now_ += options_.limits.quarantine;
  west_.switchboard->Tick();
  Settle();
  auto late = east_.Stream("late");
  late->Allocate();
  Settle();
  EXPECT_EQ(late->id(), id_);
}

TEST_F(Group, DrawsThatCollideAreDrawnAgain) {
  std::vector<std::unique_ptr<TestStream>> streams;
  for (int i = 0; i < 20; ++i) {
    streams.push_back((i % 2 == 0 ? east_ : west_).Stream("client" + std::to_string(i)));
    streams.back()->Allocate();
  }
  east_.Answer();
  west_.Answer();  // has heard nothing of the east's
  std::set<uint32_t> ids;
  for (const auto& stream : streams) ids.insert(stream->id());
  EXPECT_EQ(ids.size(), streams.size());
  EXPECT_EQ(ids.count(0), 0u);
}

// Who has allocated it at one relay may leave it at another.
TEST_F(Group, AChannelOfAnAddressCountsUntilItEndsAnywhere) {
  const std::optional<net::Address> address = net::Address::Parse("192.0.2.7");
  const auto first = east_.Stream("carl", address);
  first->Allocate();
  Settle();
  ASSERT_EQ(first->Ended(), "");
  const auto peer = west_.Stream("dora");
  peer->Claim(first->id());
  Settle();
  const auto second = east_.Stream("emil", address);
  second->Allocate();
  Settle();
  EXPECT_EQ(second->Ended(), "RESOURCE_EXHAUSTED BUSY");
  const auto moved = west_.Stream("carl", address);
  moved->Resume(first->id());
  Settle();
  moved->Close(MOOD_HAPPY);
  peer->Close(MOOD_HAPPY);
  Settle();
  const auto third = east_.Stream("fritz", address);
  third->Allocate();
  Settle();
  EXPECT_EQ(third->Ended(), "");
}

TEST_F(Group, IdsThatCannotBeAreNoHarm) {
  ChannelRecord record = Stored(id_)->record;
  record.members = {};
  for (uint32_t id : {0u, kMaxChannelId + 1, ~0u}) {
    tables_.Put(1, {.app_id = kApp, .id = id}, 0, record);
  }
  Settle();
  west_.switchboard.reset();
  GroupStore store(&tables_, 3);
  EXPECT_TRUE(Switchboard::Create(options_,
                                  {.wall_now = [] { return absl::UnixEpoch(); },
                                   .steady_now = [] { return absl::ZeroDuration(); },
                                   .random_below = [](uint32_t) { return 0; }},
                                  &store)
                  .ok());
}

// A claim needs no secret, and each has to look at the store.
TEST_F(Group, StrangersWhoClaimAllTheTimeHoldUpNobody) {
  std::vector<std::unique_ptr<TestStream>> strangers;
  const auto one_more = [&] {
    strangers.push_back(east_.Stream("stranger " + std::to_string(strangers.size())));
    strangers.back()->Claim(id_);
    east_.store.Answer();
  };
  one_more();
  anna_->Post(1, "a");
  auto again = east_.Stream("anna");
  again->Resume(id_);
  for (int i = 0; i < 12; ++i) one_more();
  EXPECT_EQ(strangers.front()->Ended(), "ALREADY_EXISTS CROWDED");
  EXPECT_EQ(anna_->Ended(), "ABORTED SUPERSEDED");
  EXPECT_NE(again->id(), 0u);
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator).stored, 1u);
}

// A relay that has looked for itself is told afterwards of the claim, and only then of the leaving.
TEST_F(GroupTest, NewsOfAnOlderRecordDoNotBringBackAPeerThatHasLeft) {
  auto anna = east_.Stream("anna");
  anna->Allocate();
  Settle();
  auto bert = west_.Stream("bert");
  bert->Claim(anna->id());
  west_.Answer();
  bert->Close(MOOD_HAPPY);
  west_.Answer();
  ASSERT_EQ(bert->Ended(), "OK");
  auto again = east_.Stream("anna");
  again->Resume(anna->id());
  east_.Answer();
  EXPECT_EQ(again->last().opened().peer(), rendezvous::v1::PRESENCE_LEFT);
  again->Heard();
  Settle();
  EXPECT_EQ(again->Heard(), "");
}

// What one relay has made counts at the other as soon as the store has told it; what it has ended,
// too.
TEST_F(GroupTest, CapsOnChannelsHoldForAllRelays) {
  options_.channel_caps = {.in_all = 3, .per_app = 2};
  Relay north(this, 5);
  Relay south(this, 6);
  const auto settle = [&] {
    while (north.store.Answer() || north.store.TellNext() || south.store.Answer() ||
           south.store.TellNext()) {
    }
  };
  auto anna = north.Stream("anna");
  anna->Allocate();
  settle();
  auto bert = south.Stream("bert");
  bert->Allocate();
  settle();
  EXPECT_EQ(anna->Ended() + bert->Ended(), "");
  for (Relay* relay : {&north, &south}) {
    auto carl = relay->Stream("carl");
    carl->Allocate();
    settle();
    EXPECT_EQ(carl->Ended(), "RESOURCE_EXHAUSTED BUSY");
  }
  auto dora = south.Stream("dora");
  dora->InApp("another").Allocate();
  settle();
  EXPECT_EQ(dora->Ended(), "");
  auto emil = north.Stream("emil");
  emil->InApp("a third").Allocate();
  settle();
  EXPECT_EQ(emil->Ended(), "RESOURCE_EXHAUSTED BUSY");
  anna->Close(MOOD_SCARY);
  settle();
  auto fritz = south.Stream("fritz");
  fritz->Allocate();
  settle();
  EXPECT_EQ(fritz->Ended(), "");
}

// The store has told of the other relay's channel while an allocation that had drawn its id, too,
// was given up.
TEST_F(GroupTest, AnAllocationThatComesToNothingForgetsNoChannelOfAnotherRelay) {
  options_.channel_caps = {.per_app = 9};
  Relay north(this, 5);
  Relay south(this, 6);
  const auto allocate = [](Relay& relay, const std::string& name) {
    auto stream = relay.Stream(name);
    stream->Allocate();
    return stream;
  };
  for (int i = 0; i < 8; ++i) {
    allocate(north, "client" + std::to_string(i));
    north.Answer();
  }
  while (south.store.TellNext()) {
  }
  auto ninth = allocate(north, "ninth");
  north.Answer();
  auto given_up = allocate(south, "tenth");
  south.store.Answer();
  ASSERT_EQ(south.store.pending(), "Load") << "the only id of one digit that was free is taken";
  while (south.store.TellNext()) {
  }
  given_up->Detach();
  south.Answer();
  auto next = allocate(south, "next");
  south.Answer();
  EXPECT_EQ(next->Ended(), "RESOURCE_EXHAUSTED BUSY") << "there are nine";
}

}  // namespace
}  // namespace wormhole::relay
