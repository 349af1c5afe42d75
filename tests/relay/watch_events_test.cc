// InspectionService/WatchEvents over real gRPC.
#include <poll.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/relay/inspection_fixture.h"

namespace wormhole::service_test {
namespace {

using rendezvous::v1::ErrorDetail;
using rendezvous::v1::Event;
using rendezvous::v1::WatchEventsResponse;

class WatchEventsTest : public InspectionTest {
 protected:
  WatchEventsTest() {
    Serve();
    Inspect();
  }

  std::unique_ptr<EventClient> Watch(const std::string& app_id = "") {
    return std::make_unique<EventClient>(inspection_->stub(), app_id);
  }

  // "TYPE_ALLOCATED 7", with what else the event says.
  static std::string Show(const Event& event) {
    std::string shown = Event::Type_Name(event.type()) + " " + std::to_string(event.channel_id());
    if (event.mood() != rendezvous::v1::MOOD_UNSPECIFIED) {
      shown += " " + rendezvous::v1::Mood_Name(event.mood());
    }
    if (event.reason() != ErrorDetail::REASON_UNSPECIFIED) {
      shown += " " + ErrorDetail::Reason_Name(event.reason());
    }
    return shown;
  }
};

TEST_F(WatchEventsTest, TellsTheLifeOfAChannel) {
  const auto watch = Watch();
  ASSERT_TRUE(watch->Begin());
  AttachClient a(channel_);
  a.Send(OpenAllocate('a', 7));
  ASSERT_TRUE(a.Receive()->has_opened());
  const Event allocated = watch->Next();
  EXPECT_EQ(Show(allocated), "TYPE_ALLOCATED 7");
  EXPECT_EQ(allocated.app_id(), kApp);
  EXPECT_GE(allocated.time().seconds(), absl::ToUnixSeconds(monitor_.started_at()));
  AttachClient b(channel_);
  b.Send(OpenClaim('b', 7));
  ASSERT_TRUE(b.Receive()->has_opened());
  EXPECT_EQ(Show(watch->Next()), "TYPE_CLAIMED 7");
  EXPECT_EQ(Show(watch->Next()), "TYPE_PAIRED 7");
  AttachClient c(channel_);
  c.Send(OpenClaim('c', 7));
  EXPECT_FALSE(c.Finish().ok());
  EXPECT_EQ(Show(watch->Next()), "TYPE_CROWDED 7");
  EXPECT_EQ(Show(watch->Next()), "TYPE_REFUSED 7 REASON_CROWDED");
  a.Send(Close(rendezvous::v1::MOOD_HAPPY));
  b.Send(Close(rendezvous::v1::MOOD_HAPPY));
  EXPECT_EQ(Show(watch->Next()), "TYPE_CLOSED 7 MOOD_HAPPY");
}

TEST_F(WatchEventsTest, TellsOfOneAppAlone) {
  const auto mine = Watch(kApp);
  const auto other = Watch("example.com/other");
  ASSERT_TRUE(mine->Begin() && other->Begin());
  for (const char* app : {"example.com/other", kApp}) {
    AttachRequest open = OpenClaim('a', app == kApp ? 1 : 2);
    open.mutable_open()->set_app_id(app);
    AttachClient client(channel_);
    client.Send(open);
    EXPECT_FALSE(client.Finish().ok());
  }
  EXPECT_EQ(Show(mine->Next()), "TYPE_REFUSED 1 REASON_NEVER_ALLOCATED");
  EXPECT_EQ(Show(other->Next()), "TYPE_REFUSED 2 REASON_NEVER_ALLOCATED");
}

TEST_F(WatchEventsTest, RefusesWhatIsNoAppId) {
  const grpc::Status status = Watch("a\nb")->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(FieldOf(status), "app_id");
}

TEST_F(WatchEventsTest, ThereIsRoomForSixteen) {
  std::vector<std::unique_ptr<EventClient>> watches;
  for (int n = 0; n < 16; ++n) {
    watches.push_back(Watch());
    ASSERT_TRUE(watches.back()->Begin());
  }
  EXPECT_EQ(Watch()->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  watches.pop_back();
  // The relay hears of it a moment later.
  while (!Watch()->Begin()) poll(nullptr, 0, 10);  // a port has so many calls a minute
}

TEST_F(WatchEventsTest, ASlowWatcherLosesEventsAndIsToldHowMany) {
  constexpr uint32_t kEvents = 50'000;
  const auto slow = Watch();
  ASSERT_TRUE(slow->Begin());
  for (uint32_t id = 1; id <= kEvents; ++id) {
    monitor_.OnEvent({.kind = relay::ChannelEvent::Kind::kAllocated, .key = {kApp, id}});
  }
  uint64_t seen = 0;
  uint64_t lost = 0;
  for (uint64_t last = 0; last < kEvents;) {
    WatchEventsResponse response;
    ASSERT_TRUE(slow->Read(response));
    ++seen;
    lost += response.lost();
    // What was lost is what is missing before it.
    ASSERT_EQ(response.event().channel_id(), last + response.lost() + 1);
    last = response.event().channel_id();
  }
  EXPECT_EQ(seen + lost, kEvents);
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(monitor_.events().lost(), lost);
}

TEST_F(WatchEventsTest, TheEndOfTheRelayEndsIt) {
  const auto watch = Watch();
  ASSERT_TRUE(watch->Begin());
  AttachClient a(channel_);
  a.Send(OpenAllocate('a', 7));
  ASSERT_TRUE(a.Receive()->has_opened());
  EXPECT_EQ(Show(watch->Next()), "TYPE_ALLOCATED 7");
  server_->Drain();
  // Also how the last streams ended.
  EXPECT_EQ(Show(watch->Next()), "TYPE_REFUSED 7 REASON_DRAINING");
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(WatchEventsTest, OneWhoNeverReadsDoesNotHoldUpTheEnd) {
  const auto watch = Watch();
  ASSERT_TRUE(watch->Begin());
  for (uint32_t id = 1; id <= 50'000; ++id) {
    monitor_.OnEvent({.kind = relay::ChannelEvent::Kind::kAllocated, .key = {kApp, id}});
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(server_->Drain());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

TEST_F(WatchEventsTest, WatchersComeAndGo) {
  std::thread events([&] {
    for (uint32_t id = 1; id <= 20'000; ++id) {
      monitor_.OnEvent({.kind = relay::ChannelEvent::Kind::kAllocated, .key = {kApp, id}});
    }
  });
  for (int round = 0; round < 50; ++round) {
    const auto watch = Watch();
    if (round % 2 == 0) watch->Begin();
  }
  events.join();
  EXPECT_TRUE(server_->Drain());
}

}  // namespace
}  // namespace wormhole::service_test
