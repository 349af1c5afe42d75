#include "relay/monitor/event_feed.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"

namespace wormhole::relay {
namespace {

using error::ErrorDetail;
using rendezvous::v1::Event;
using ::testing::ElementsAre;

ChannelEvent Claimed(const std::string& app_id, uint32_t id) {
  return {.kind = ChannelEvent::Kind::kClaimed, .key = {app_id, id}};
}

StreamReport Refused(const std::string& app_id, uint32_t id, ErrorDetail::Reason reason) {
  StreamReport report;
  report.app_id = app_id;
  report.channel_id = id;
  report.status = error::Make(reason, "no");
  return report;
}

class EventFeedTest : public ::testing::Test {
 protected:
  std::shared_ptr<EventQueue> Watch(const std::string& app_id = "") {
    return feed_.Watch(app_id, [this] { ++wakes_; });
  }

  static std::vector<uint32_t> IdsIn(EventQueue& queue) {
    std::vector<uint32_t> ids;
    while (const auto taken = queue.Take()) ids.push_back(taken->event->channel_id());
    return ids;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'000);
  EventFeed feed_{[this] { return now_; }};
  std::atomic<int> wakes_ = 0;
};

TEST_F(EventFeedTest, AWatcherSeesWhatHappensFromThenOn) {
  feed_.Note(Claimed("app", 1));
  const auto queue = Watch();
  EXPECT_FALSE(queue->Take());
  now_ += absl::Milliseconds(1'500);
  feed_.Note(ChannelEvent{ChannelEvent::Kind::kClosed, {"app", 2}, rendezvous::v1::MOOD_SCARY});
  EXPECT_EQ(wakes_, 1);
  const auto taken = queue->Take();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->lost, 0u);
  EXPECT_EQ(taken->event->ShortDebugString(),
            "time { seconds: 1001 nanos: 500000000 } type: TYPE_CLOSED app_id: \"app\" "
            "channel_id: 2 mood: MOOD_SCARY");
  EXPECT_FALSE(queue->Take());
}

TEST_F(EventFeedTest, EachKindHasItsType) {
  const auto queue = Watch();
  using Kind = ChannelEvent::Kind;
  for (const Kind kind : {Kind::kAllocated, Kind::kClaimed, Kind::kPaired, Kind::kCrowded,
                          Kind::kClosed, Kind::kExpired}) {
    feed_.Note(ChannelEvent{.kind = kind, .key = {"app", 1}});
  }
  std::vector<Event::Type> types;
  while (const auto taken = queue->Take()) types.push_back(taken->event->type());
  EXPECT_THAT(types, ElementsAre(Event::TYPE_ALLOCATED, Event::TYPE_CLAIMED, Event::TYPE_PAIRED,
                                 Event::TYPE_CROWDED, Event::TYPE_CLOSED, Event::TYPE_EXPIRED));
}

TEST_F(EventFeedTest, AStreamThatWasRefusedIsAnEvent) {
  const auto queue = Watch();
  feed_.Note(Refused("app", 3, ErrorDetail::REASON_NEVER_ALLOCATED));
  const auto taken = queue->Take();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->event->type(), Event::TYPE_REFUSED);
  EXPECT_EQ(taken->event->app_id(), "app");
  EXPECT_EQ(taken->event->channel_id(), 3u);
  EXPECT_EQ(taken->event->reason(), ErrorDetail::REASON_NEVER_ALLOCATED);
  StreamReport report;
  feed_.Note(report);
  report.status = absl::CancelledError("the client cancelled");
  feed_.Note(report);
  EXPECT_FALSE(queue->Take());
}

// It is in the client's own words.
TEST_F(EventFeedTest, AnAppIdThatIsNoneIsNotShown) {
  const auto queue = Watch();
  for (const std::string& app_id :
       {std::string(1 << 20, 'x'), std::string("\xff\xfe"), std::string("a\nb"), std::string()}) {
    feed_.Note(Refused(app_id, 0, ErrorDetail::REASON_MALFORMED));
    const auto taken = queue->Take();
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->event->app_id(), "");
  }
}

TEST_F(EventFeedTest, AWatcherOfOneAppSeesNothingElse) {
  const auto queue = Watch("mine");
  feed_.Note(Claimed("mine", 1));
  feed_.Note(Claimed("other", 2));
  feed_.Note(Refused("mine", 3, ErrorDetail::REASON_CLOSED));
  feed_.Note(Refused("mine\n", 4, ErrorDetail::REASON_MALFORMED));
  EXPECT_EQ(wakes_, 2);
  EXPECT_THAT(IdsIn(*queue), ElementsAre(1, 3));
}

TEST_F(EventFeedTest, ASlowWatcherLosesTheOldestAndIsToldHowMany) {
  const auto slow = Watch();
  const auto other = Watch("other");
  constexpr uint32_t kMost = EventQueue::kMaxEvents;
  for (uint32_t id = 1; id <= kMost + 5; ++id) feed_.Note(Claimed("app", id));
  EXPECT_EQ(feed_.lost(), 5u);
  auto taken = slow->Take();
  EXPECT_EQ(taken->event->channel_id(), 6u);
  EXPECT_EQ(taken->lost, 5u);
  feed_.Note(Claimed("app", 9'999));
  taken = slow->Take();
  EXPECT_EQ(taken->event->channel_id(), 7u);
  EXPECT_EQ(taken->lost, 0u);
  EXPECT_EQ(IdsIn(*slow).size(), kMost - 1);
  EXPECT_FALSE(other->Take());
  EXPECT_EQ(feed_.lost(), 5u);
}

TEST_F(EventFeedTest, ThereAreOnlySoManyWatchers) {
  std::vector<std::shared_ptr<EventQueue>> queues;
  for (size_t n = 0; n < EventFeed::kMaxWatchers; ++n) {
    queues.push_back(Watch());
    ASSERT_NE(queues.back(), nullptr);
  }
  EXPECT_EQ(Watch(), nullptr);
  feed_.Leave(queues[3]);
  feed_.Leave(queues[3]);
  EXPECT_NE(Watch(), nullptr);
  EXPECT_EQ(Watch(), nullptr);
}

TEST_F(EventFeedTest, WhoHasLeftHearsNothing) {
  const auto queue = Watch();
  feed_.Leave(queue);
  feed_.Note(Claimed("app", 1));
  EXPECT_EQ(wakes_, 0);
  EXPECT_FALSE(queue->Take());
}

TEST_F(EventFeedTest, WatchersComeAndGoWhileThingsHappen) {
  std::atomic<bool> over = false;
  std::vector<std::thread> threads;
  for (int n = 0; n < 2; ++n) {
    threads.emplace_back([&] {
      while (!over) feed_.Note(Claimed("app", 1));
    });
  }
  for (int n = 0; n < 2; ++n) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        const auto queue = Watch();
        while (!queue->Take()) std::this_thread::yield();
        feed_.Leave(queue);
      }
    });
  }
  threads[2].join();
  threads[3].join();
  over = true;
  threads[0].join();
  threads[1].join();
}

}  // namespace
}  // namespace wormhole::relay
