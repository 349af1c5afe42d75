// What can be seen of a switchboard from outside.
#include <string>

#include "gtest/gtest.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::MOOD_HAPPY;

TEST_F(SwitchboardTest, ListsNothingAtFirst) {
  EXPECT_EQ(Listed("", 10), "");
  EXPECT_TRUE(switchboard_->ListApps("", 10).empty());
  EXPECT_EQ(switchboard_->Count().active_channels, 0u);
}

TEST_F(SwitchboardTest, ListsChannelsPageByPageInOrder) {
  for (const uint32_t id : {12u, 5u, 100u, 2u}) {
    const auto stream = Stream("side" + std::to_string(id));
    stream->Allocate(id);
    Settle();
  }
  const auto first = Stream("first");
  first->InApp("a").Allocate(3);
  const auto last = Stream("last");
  last->InApp("z").Allocate(4);
  Settle();
  EXPECT_EQ(Listed("", 10), "a/3 2 5 12 100 z/4");
  EXPECT_EQ(Listed("", 2), "a/3 2; 5 12; 100 z/4;");
  EXPECT_EQ(Listed(kApp, 3), "2 5 12; 100");
  EXPECT_EQ(Listed("a", 1), "a/3;");
  EXPECT_EQ(Listed("none", 1), "");
  const auto apps = switchboard_->ListApps("a", 1);
  ASSERT_EQ(apps.size(), 1u);
  EXPECT_EQ(apps[0].app_id, kApp);
  EXPECT_EQ(apps[0].active_channels, 4u);
  EXPECT_EQ(switchboard_->Count().apps, 3u);
}

TEST_F(SwitchboardPairTest, ShowsWhoIsThere) {
  const auto carl = Stream("carl");
  carl->Wait(99);
  anna_->Post(1, "frame");
  bert_->Detach();
  Settle();
  SwitchboardCounts counts = switchboard_->Count();
  EXPECT_EQ(counts.active_channels, 1u);
  EXPECT_EQ(counts.streams, 2u);
  EXPECT_EQ(counts.sides_alone, 1u);
  EXPECT_EQ(counts.sides_paired, 0u);
  EXPECT_EQ(counts.waiting, 1u);
  ChannelView seen;
  switchboard_->ListChannels(kApp, {}, 10, [&](absl::StatusOr<ChannelPage> page) {
    ASSERT_EQ(page->channels.size(), 1u);  // one that is waited for is none
    seen = page->channels[0];
    EXPECT_EQ(page->as_of, absl::UnixEpoch() + now_);
  });
  Settle();
  EXPECT_EQ(seen.key, key());
  EXPECT_EQ(seen.sides[Role::kInitiator], SideView::kHere);
  EXPECT_EQ(seen.sides[Role::kReceiver], SideView::kDetached);
  EXPECT_EQ(seen.snapshot.log(Role::kInitiator).stored, 1u);
  EXPECT_EQ(seen.snapshot.log(Role::kInitiator).bytes, 5u);
  const auto bert = Again("bert");
  Settle();
  EXPECT_EQ(switchboard_->Count().sides_paired, 2u);
  anna_->Close(MOOD_HAPPY);
  bert->Ack(1).Close(MOOD_HAPPY);
  Settle();
  counts = switchboard_->Count();
  EXPECT_EQ(counts.active_channels, 0u);
  EXPECT_EQ(counts.resting_channels, 1u);
  EXPECT_EQ(counts.sides_paired, 0u);
}

TEST_F(SwitchboardPairTest, TellsTheStoresError) {
  absl::Status status;
  switchboard_->ListChannels("", {}, 10,
                             [&](absl::StatusOr<ChannelPage> page) { status = page.status(); });
  while (store_.Fail()) {
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace wormhole::relay
