// Members that come back; malformed requests.
#include <string>

#include "gtest/gtest.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::MOOD_HAPPY;
using rendezvous::v1::MOOD_SCARY;

using Resuming = SwitchboardTest;

TEST_F(Resuming, TellsWhereThingsAre) {
  auto anna = Stream("anna");
  auto bert = Stream("bert");
  const uint32_t id = Pair(*anna, *bert);
  anna->Post(1, "a").Post(2, "b").Post(3, "c");
  bert->Post(1, "x");
  Settle();
  bert->Ack(2);
  Settle();
  anna->Detach();
  bert->Detach();
  Restart();
  auto again = Stream("anna");
  again->Resume(id, 0);
  Settle();
  EXPECT_EQ(again->Heard(),
            "opened(" + std::to_string(id) + " stored=3 peer=detached:0-1 cursor=2) message(1 x)");
  auto bert_again = Stream("bert");
  bert_again->Resume(id, 2);
  Settle();
  EXPECT_EQ(bert_again->Heard(),
            "opened(" + std::to_string(id) + " stored=1 peer=attached:2-3 cursor=0) message(3 c)");
  EXPECT_EQ(again->Heard(), "peer(attached cursor=2 third=0)");
}

TEST_F(Resuming, OfAStrangerOrOfNothing) {
  auto anna = Stream("anna");
  anna->Allocate();
  Settle();
  auto carl = Stream("carl");
  carl->Resume(anna->id());
  auto dora = Stream("dora");
  dora->Resume(999);
  Settle();
  EXPECT_EQ(carl->Ended(), "PERMISSION_DENIED NOT_MEMBER");
  EXPECT_EQ(dora->Ended(), "NOT_FOUND NEVER_ALLOCATED");
}

TEST_F(Resuming, WithACursorBelowWhatWasForgottenGetsNoMessage) {
  auto anna = Stream("anna");
  auto bert = Stream("bert");
  const uint32_t id = Pair(*anna, *bert);
  anna->Post(1, "a").Post(2, "b");
  Settle();
  bert->Ack(1);
  Settle();
  auto stale = Stream("bert");
  stale->Resume(id, 0);
  anna->Post(3, "c");
  Settle();
  EXPECT_EQ(stale->Heard(),
            "opened(" + std::to_string(id) + " stored=0 peer=attached:1-2 cursor=0)");
}

TEST_F(Resuming, ASideThatHasLeftMayOnlyCloseAgain) {
  auto anna = Stream("anna");
  auto bert = Stream("bert");
  const uint32_t id = Pair(*anna, *bert);
  anna->Post(1, "a");
  bert->Close(MOOD_HAPPY);
  Settle();
  EXPECT_EQ(bert->Ended(), "OK");
  anna->Heard();
  const ChannelRecord before = Stored(id)->record;
  auto again = Stream("bert");
  again->Resume(id);
  Settle();
  EXPECT_EQ(again->Heard(),
            "opened(" + std::to_string(id) + " stored=0 peer=attached:0-1 cursor=0 left)");
  again->Close(MOOD_SCARY);
  Settle();
  EXPECT_EQ(again->Ended(), "OK");
  EXPECT_EQ(Stored(id)->record, before);
  auto reading = Stream("bert");
  reading->Resume(id, /*cursor=*/3);
  Settle();
  reading->Ack(4);
  Settle();
  EXPECT_EQ(Stored(id)->log(Role::kInitiator).accepted, 0u) << "what it says changes nothing";
  auto posting = Stream("bert");
  posting->Resume(id);
  Settle();
  posting->Post(1, "x");
  EXPECT_EQ(posting->Ended(), "FAILED_PRECONDITION STALE_STATE");
  EXPECT_EQ(anna->Ended(), "");
}

TEST_F(Resuming, BadRequestsNameTheField) {
  auto first = Stream("first");
  first->Allocate();
  Settle();
  AttachRequest open;
  open.mutable_open()->mutable_allocate();
  first->Send(open);
  EXPECT_EQ(first->Ended(), "INVALID_ARGUMENT MALFORMED open");

  auto empty = Stream("empty");
  empty->Allocate();
  Settle();
  empty->Send(AttachRequest());
  EXPECT_EQ(empty->Ended(), "INVALID_ARGUMENT MALFORMED request");

  auto acking = Stream("acking");
  acking->Allocate();
  Settle();
  acking->Ack(UINT64_MAX);
  EXPECT_EQ(acking->Ended(), "INVALID_ARGUMENT MALFORMED ack.number");

  auto claiming = Stream("claiming");
  claiming->Claim(0);
  EXPECT_EQ(claiming->Ended(), "INVALID_ARGUMENT MALFORMED open.claim.channel_id");
}

}  // namespace
}  // namespace wormhole::relay
