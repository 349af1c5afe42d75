// What the switchboard tells its observer.
#include <string>

#include "gtest/gtest.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::MOOD_HAPPY;
using rendezvous::v1::MOOD_LONELY;

std::string At(uint32_t id) { return "(" + std::to_string(id) + ")"; }

TEST_F(SwitchboardTest, TellsTheLifeOfAChannel) {
  const auto anna = Stream("anna");
  anna->Allocate();
  EXPECT_EQ(events_.Heard(), "");  // not stored yet
  Settle();
  const std::string at = At(anna->id());
  EXPECT_EQ(events_.Heard(), "allocated" + at);
  const auto bert = Stream("bert");
  bert->Claim(anna->id());
  Settle();
  EXPECT_EQ(events_.Heard(), "claimed" + at + " paired" + at);
  anna->Post(1, "frame").Post(1, "frame");
  Settle();
  EXPECT_EQ(events_.Heard(), "frame(5)");
  anna->Close(MOOD_HAPPY);
  Settle();
  EXPECT_EQ(events_.Heard(), "");  // one side has left
  bert->Close(MOOD_HAPPY);
  Settle();
  EXPECT_EQ(events_.Heard(), "closed(" + std::to_string(anna->id()) + " MOOD_HAPPY)");
}

TEST_F(SwitchboardPairTest, TellsOfThirdParties) {
  events_.Heard();
  const auto carl = Stream("carl");
  carl->Claim(id_);
  Settle();
  EXPECT_EQ(events_.Heard(), "crowded" + At(id_));
}

TEST_F(SwitchboardPairTest, TellsOfAPairAgainAfterNeitherWasThere) {
  events_.Heard();
  bert_->Detach();
  const auto again = Again("bert");
  Settle();
  EXPECT_EQ(events_.Heard(), "");
  again->Detach();
  anna_->Detach();
  const auto anna = Again("anna");
  Settle();
  EXPECT_EQ(events_.Heard(), "");
  const auto bert = Again("bert");
  Settle();
  EXPECT_EQ(events_.Heard(), "paired" + At(id_));
}

TEST_F(SwitchboardTest, TellsOfAWaiterThatJoins) {
  const auto bert = Stream("bert");
  bert->Wait(7);
  Settle();
  const auto anna = Stream("anna");
  anna->Allocate(7);
  Settle();
  EXPECT_EQ(events_.Heard(), "allocated(7) claimed(7) paired(7)");
}

TEST_F(SwitchboardTest, TellsOfEachWaiterThatComesTooLate) {
  const auto bert = Stream("bert");
  const auto carl = Stream("carl");
  const auto dora = Stream("dora");
  for (const auto* waiter : {&bert, &carl, &dora}) {
    (*waiter)->Wait(7);
    Settle();
  }
  const auto anna = Stream("anna");
  anna->Allocate(7);
  Settle();
  EXPECT_EQ(carl->Ended(), "ALREADY_EXISTS CROWDED");
  EXPECT_EQ(events_.Heard(), "allocated(7) claimed(7) paired(7) crowded(7) crowded(7)");
}

TEST_F(SwitchboardTest, TellsOfExpiryAndOfAnEndByOneSide) {
  const auto anna = Stream("anna");
  anna->Allocate(0, absl::Seconds(30));
  Settle();
  events_.Heard();
  Pass(absl::Seconds(31));
  Tick();
  EXPECT_EQ(events_.Heard(), "expired" + At(anna->id()));
  // Nor is anything told of what is erased.
  Pass(absl::Hours(1));
  Tick();
  EXPECT_EQ(events_.Heard(), "");
  const auto berta = Stream("berta");
  berta->InApp("other").Allocate();
  Settle();
  berta->Close(MOOD_LONELY);
  Settle();
  const std::string id = std::to_string(berta->id());
  EXPECT_EQ(events_.Heard(), "allocated(other " + id + ") closed(other " + id + " MOOD_LONELY)");
}

}  // namespace
}  // namespace wormhole::relay
