// Claims, and third parties.
#include <string>

#include "gtest/gtest.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {
namespace {

using Claims = SwitchboardTest;

TEST_F(Claims, AreToldOnlyWhenTheyAreDurable) {
  auto anna = Stream("anna");
  auto bert = Stream("bert");
  anna->Allocate();
  Settle();
  anna->Heard();
  bert->Claim(anna->id());
  EXPECT_EQ(store_.pending(), "Put") << "the channel is in memory";
  EXPECT_EQ(bert->Heard(), "");
  anna->Post(1, "a");
  EXPECT_EQ(bert->Heard(), "") << "no frame before the claim is durable";
  Settle();
  EXPECT_EQ(bert->Heard(), "opened(" + std::to_string(anna->id()) +
                               " stored=0 peer=attached:0-0 cursor=0) message(1 a)");
  EXPECT_EQ(anna->Heard(), "peer(attached cursor=0 third=0) posted(1)");
}

TEST_F(Claims, OfAnUnknownIdAreNotFound) {
  auto bert = Stream("bert");
  bert->Claim(5);
  Settle();
  EXPECT_EQ(bert->Ended(), "NOT_FOUND NEVER_ALLOCATED");
}

TEST_F(Claims, MayNameADrawnOrANamedId) {
  auto anna = Stream("anna");
  auto bert = Stream("bert");
  anna->Allocate(44);
  bert->Claim(44);
  Settle();
  EXPECT_EQ(bert->Ended(), "");
  EXPECT_EQ(bert->id(), 44u);
}

TEST_F(Claims, AreIdempotentBySide) {
  auto anna = Stream("anna");
  auto bert = Stream("bert");
  const uint32_t id = Pair(*anna, *bert);
  auto again = Stream("bert");
  again->Claim(id);
  Settle();
  EXPECT_EQ(bert->Ended(), "ABORTED SUPERSEDED");
  EXPECT_EQ(again->id(), id);
  EXPECT_EQ(anna->Heard(), "peer(attached cursor=0 third=0)");
}

TEST_F(Claims, OfAThirdPartyAreToldToAMemberThatWasAway) {
  auto anna = Stream("anna");
  auto bert = Stream("bert");
  const uint32_t id = Pair(*anna, *bert);
  anna->Detach();
  for (const char* name : {"carl", "dora"}) {
    auto stranger = Stream(name);
    stranger->Claim(id);
    Settle();
    EXPECT_EQ(stranger->Ended(), "ALREADY_EXISTS CROWDED");
  }
  auto again = Stream("anna");
  again->Resume(id);
  Settle();
  EXPECT_EQ(again->last().peer_status().third_parties(), 2u);
  auto third = Stream("anna");
  third->Resume(id);
  Settle();
  EXPECT_EQ(third->Heard().find("third="), std::string::npos) << "it has been told";
}

TEST_F(Claims, OfAThirdPartyDisturbNothingAndBothAreTold) {
  auto anna = Stream("anna");
  auto bert = Stream("bert");
  auto carl = Stream("carl");
  const uint32_t id = Pair(*anna, *bert);
  const ChannelRecord before = Stored(id)->record;
  carl->Claim(id);
  Settle();
  EXPECT_EQ(carl->Ended(), "ALREADY_EXISTS CROWDED");
  EXPECT_EQ(anna->Heard(), "peer(attached cursor=0 third=1)");
  EXPECT_EQ(bert->Heard(), "peer(attached cursor=0 third=1)");
  EXPECT_EQ(Stored(id)->record, before);
  anna->Post(1, "a");
  Settle();
  EXPECT_EQ(bert->Heard(), "message(1 a)");
  // The count is of what happened while this stream was attached.
  auto later = Stream("anna");
  later->Resume(id);
  Settle();
  later->Heard();
  auto dora = Stream("dora");
  dora->Claim(id);
  Settle();
  EXPECT_EQ(later->Heard(), "peer(attached cursor=0 third=1)");
  EXPECT_EQ(bert->Heard(), "peer(attached cursor=0 third=1) peer(attached cursor=0 third=2)");
}

TEST_F(Claims, OfTheInitiatorOrOfASideElsewhereAreRefused) {
  auto anna = Stream("anna");
  auto other = Stream("other");
  anna->Allocate();
  other->Allocate();
  Settle();
  auto anna_claims = Stream("anna");
  anna_claims->Claim(anna->id());
  auto other_claims = Stream("other");
  other_claims->Claim(anna->id());
  Settle();
  EXPECT_EQ(anna_claims->Ended(), "ALREADY_EXISTS SIDE_IN_USE");
  EXPECT_EQ(other_claims->Ended(), "ALREADY_EXISTS SIDE_IN_USE");
  EXPECT_EQ(anna->Ended(), "");
  auto bert = Stream("bert");
  bert->Claim(anna->id());
  Settle();
  EXPECT_EQ(bert->Ended(), "") << "the place is still free";
}

TEST_F(Claims, OfAReceiverWhoAllocatesAreRefused) {
  auto anna = Stream("anna");
  auto bert = Stream("bert");
  Pair(*anna, *bert);
  auto bert_allocates = Stream("bert");
  bert_allocates->Allocate();
  Settle();
  EXPECT_EQ(bert_allocates->Ended(), "ALREADY_EXISTS SIDE_IN_USE");
  EXPECT_EQ(bert->Ended(), "");
}

TEST_F(Claims, TwoAtOnceOneWins) {
  auto anna = Stream("anna");
  anna->Allocate();
  Settle();
  auto bert = Stream("bert");
  auto carl = Stream("carl");
  bert->Claim(anna->id());
  carl->Claim(anna->id());
  Settle();
  EXPECT_EQ(bert->Ended(), "");
  EXPECT_EQ(carl->Ended(), "ALREADY_EXISTS CROWDED");
}

TEST_F(Claims, OfAChannelThatAnotherRelayChangedAreJudgedAgain) {
  auto anna = Stream("anna");
  anna->Allocate();
  Settle();
  const ChannelKey key{.app_id = kApp, .id = anna->id()};
  ChannelRecord record = Stored(key.id)->record;
  record.member(Role::kReceiver).side = SideOf("carl");
  store_.contents().Put(key, 1, record);
  auto bert = Stream("bert");
  bert->Claim(key.id);
  Settle();
  EXPECT_EQ(bert->Ended(), "ALREADY_EXISTS CROWDED");
  EXPECT_EQ(anna->Heard(), "opened(" + std::to_string(key.id) +
                               " stored=0 peer=absent:0-0 cursor=0) "
                               "peer(detached cursor=0 third=1)");
}

TEST_F(Claims, WhoseStreamGoesMeanwhileStay) {
  auto anna = Stream("anna");
  anna->Allocate();
  Settle();
  anna->Heard();
  auto bert = Stream("bert");
  bert->Claim(anna->id());
  bert->Detach();
  Settle();
  EXPECT_EQ(Stored(anna->id())->record.member(Role::kReceiver).side, SideOf("bert"));
  EXPECT_EQ(anna->Heard(), "peer(detached cursor=0 third=0)");
}

TEST_F(Claims, AfterTheEndTellHowItEnded) {
  auto anna = Stream("anna");
  anna->Allocate(8, absl::Minutes(5));
  Settle();
  auto bert = Stream("bert");
  Pass(absl::Minutes(5));
  bert->Claim(8);
  Settle();
  EXPECT_EQ(bert->Ended(), "NOT_FOUND EXPIRED") << "also before the expiry has been carried out";
  Tick();
  auto carl = Stream("carl");
  carl->Claim(8);
  Settle();
  EXPECT_EQ(carl->Ended(), "NOT_FOUND EXPIRED");
}

}  // namespace
}  // namespace wormhole::relay
