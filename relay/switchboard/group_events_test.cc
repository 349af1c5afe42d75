// What two relays over one store tell their observers.
#include <string>

#include "gtest/gtest.h"
#include "relay/switchboard/testing/group_harness.h"

namespace wormhole::relay {
namespace {

using GroupEvents = GroupPairTest;

std::string At(uint32_t id) { return "(" + std::to_string(id) + ")"; }

// The relay tells that the later side came to; neither was away since.
TEST_F(GroupEvents, TellsOfAPairOnceOfWhicheverSideAStreamIsOpenedAnew) {
  EXPECT_EQ(east_.events.Heard(), "allocated" + At(id_));
  EXPECT_EQ(west_.events.Heard(), "claimed" + At(id_) + " paired" + At(id_));
  const auto anna = east_.Stream("anna");
  anna->Resume(id_);
  const auto bert = west_.Stream("bert");
  bert->Resume(id_);
  Settle();
  EXPECT_EQ(anna_->Ended(), "ABORTED SUPERSEDED");
  const auto moved = east_.Stream("bert");
  moved->Resume(id_);
  Settle();
  EXPECT_EQ(bert->Ended(), "ABORTED SUPERSEDED");
  EXPECT_EQ(east_.events.Heard() + west_.events.Heard(), "");
}

TEST_F(GroupEvents, TellsOfAPairAgainAfterNeitherWasThere) {
  east_.events.Heard();
  west_.events.Heard();
  bert_->Detach();
  Settle();
  anna_->Detach();
  Settle();
  const auto bert = west_.Stream("bert");
  bert->Resume(id_);
  Settle();
  const auto anna = east_.Stream("anna");
  anna->Resume(id_);
  Settle();
  EXPECT_EQ(east_.events.Heard(), "paired" + At(id_));
  EXPECT_EQ(west_.events.Heard(), "");
}

}  // namespace
}  // namespace wormhole::relay
