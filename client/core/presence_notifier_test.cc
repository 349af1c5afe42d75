#include "client/core/presence_notifier.h"

#include "gtest/gtest.h"

namespace wormhole::core {
namespace {

using rendezvous::v1::PRESENCE_ATTACHED;
using rendezvous::v1::PRESENCE_DETACHED;
using rendezvous::v1::PRESENCE_LEFT;
using Kind = ProgressEvent::Kind;

std::vector<Kind> KindsOf(const std::vector<ProgressEvent>& events) {
  std::vector<Kind> kinds;
  for (const ProgressEvent& event : events) kinds.push_back(event.kind);
  return kinds;
}

TEST(PresenceNotifierTest, TellsEachChangeOnce) {
  PresenceNotifier notifier;
  notifier.OnPresence(PRESENCE_DETACHED);
  EXPECT_TRUE(notifier.pending());
  EXPECT_EQ(KindsOf(notifier.Take(absl::Seconds(1))), std::vector<Kind>{Kind::kWaiting});
  EXPECT_FALSE(notifier.pending());
  EXPECT_TRUE(notifier.Take(absl::Seconds(1)).empty());
  notifier.OnPresence(PRESENCE_ATTACHED);
  notifier.OnThirdParties(1);
  EXPECT_EQ(KindsOf(notifier.Take(absl::Seconds(1))),
            (std::vector<Kind>{Kind::kThirdParty, Kind::kPeerArrived}));
  notifier.OnThirdParties(1);
  notifier.OnPresence(PRESENCE_LEFT);
  EXPECT_FALSE(notifier.pending());
}

TEST(PresenceNotifierTest, ANewStreamIsToldAnew) {
  PresenceNotifier notifier;
  notifier.OnPresence(PRESENCE_ATTACHED);
  notifier.OnThirdParties(2);
  notifier.Take(absl::ZeroDuration());
  notifier.OnStream();
  notifier.OnPresence(PRESENCE_ATTACHED);
  notifier.OnThirdParties(1);
  EXPECT_EQ(notifier.Take(absl::ZeroDuration()).size(), 2u);
}

TEST(PresenceNotifierTest, ARelayThatMakesItUpIsToldOnceASecond) {
  PresenceNotifier notifier;
  const auto turn = [&notifier](int i) {
    notifier.OnPresence(i % 2 == 0 ? PRESENCE_ATTACHED : PRESENCE_DETACHED);
  };
  int i = 0;
  for (; i < PresenceNotifier::kPromptNotices; ++i) {
    turn(i);
    EXPECT_EQ(notifier.Take(absl::Seconds(5)).size(), 1u);
  }
  turn(i);
  EXPECT_TRUE(notifier.Take(absl::Seconds(5)).empty());
  EXPECT_TRUE(notifier.pending());
  EXPECT_EQ(notifier.due(), absl::Seconds(6));
  turn(i + 1);  // as people know it
  EXPECT_FALSE(notifier.pending());
  turn(i + 2);
  EXPECT_EQ(notifier.Take(absl::Seconds(6)).size(), 1u);
  // Neither does a stream of its own make it prompt again.
  notifier.OnStream();
  notifier.OnPresence(PRESENCE_ATTACHED);
  EXPECT_TRUE(notifier.Take(absl::Seconds(6)).empty());
}

}  // namespace
}  // namespace wormhole::core
