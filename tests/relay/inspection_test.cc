// What InspectionService shows of a relay and its channels, over real gRPC.
#include <poll.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "proto/version/version.h"
#include "relay/store/sqlite/sqlite_store.h"
#include "tests/relay/inspection_fixture.h"
#include "tests/support/temp_folder.h"

namespace wormhole::service_test {
namespace {

using rendezvous::v1::Channel;
using rendezvous::v1::ChannelSide;
using rendezvous::v1::GetRelayResponse;
using rendezvous::v1::ListAppsRequest;
using rendezvous::v1::ListAppsResponse;

class EveryStoreTest : public InspectionTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    if (GetParam() == std::string("memory")) {
      Serve();
    } else {
      sqlite_ = relay::SqliteStore::Open(folder_.File("relay.db")).value();
      ServeFrom(sqlite_.get());
    }
    Inspect();
  }
  ~EveryStoreTest() override { server_.reset(); }

  // Once it is as `good` says: streams and stores take their time.
  Channel AwaitChannel(const std::function<bool(const Channel&)>& good) {
    while (true) {
      for (const Channel& channel : inspection_->Channels()) {
        if (good(channel)) return channel;
      }
      if (::testing::Test::HasFailure()) return {};
      poll(nullptr, 0, 10);  // an operator has so many calls a minute
    }
  }

  const testing::TempFolder folder_;
  std::unique_ptr<relay::SqliteStore> sqlite_;
};

INSTANTIATE_TEST_SUITE_P(Stores, EveryStoreTest, ::testing::Values("memory", "sqlite"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(EveryStoreTest, ShowsAChannelFromItsBeginningToItsEnd) {
  AttachClient a(channel_);
  a.Send(OpenAllocate('a', 4711));
  ASSERT_TRUE(a.Receive()->has_opened());
  std::vector<Channel> channels = inspection_->Channels();
  ASSERT_EQ(channels.size(), 1u);
  const Channel& waiting = channels[0];
  EXPECT_EQ(waiting.app_id(), kApp);
  EXPECT_EQ(waiting.channel_id(), 4711u);
  EXPECT_EQ(waiting.state(), Channel::STATE_WAITING_FOR_RECEIVER);
  EXPECT_TRUE(waiting.named());
  EXPECT_EQ(waiting.initiator().place(), ChannelSide::PLACE_HERE);
  EXPECT_EQ(waiting.receiver().place(), ChannelSide::PLACE_ABSENT);
  const absl::Time created = absl::FromUnixSeconds(waiting.created_at().seconds());
  EXPECT_LT(absl::AbsDuration(absl::Now() - created), absl::Minutes(2));
  EXPECT_LT(waiting.age().seconds(), 120);
  EXPECT_GT(waiting.time_left().seconds(), 3600 - 120);
  EXPECT_LE(waiting.time_left().seconds(), 3600);

  a.Send(Post(1, "first"));
  a.Send(Post(2, "second"));
  while (a.ReceiveNews()->posted().number() < 2) {
  }
  {
    AttachClient b(channel_);
    b.Send(OpenClaim('b', 4711));
    ASSERT_TRUE(b.Receive()->has_opened());
    b.Send(Ack(1));
    const Channel joined =
        AwaitChannel([](const Channel& channel) { return channel.initiator().frames_kept() == 1; });
    EXPECT_EQ(joined.state(), Channel::STATE_JOINED);
    EXPECT_EQ(joined.initiator().bytes_kept(), 6u);
    EXPECT_EQ(joined.receiver().place(), ChannelSide::PLACE_HERE);
    EXPECT_EQ(joined.receiver().frames_kept(), 0u);
  }
  AwaitChannel([](const Channel& channel) {
    return channel.receiver().place() == ChannelSide::PLACE_DETACHED;
  });

  AttachClient b(channel_);
  b.Send(OpenResume('b', 4711, 1));
  ASSERT_TRUE(b.Receive()->has_opened());
  a.Send(Close(rendezvous::v1::MOOD_HAPPY));
  EXPECT_TRUE(a.Finish().ok());
  EXPECT_EQ(inspection_->Channels()[0].initiator().place(), ChannelSide::PLACE_LEFT);
  b.Send(Close(rendezvous::v1::MOOD_SCARY));
  EXPECT_TRUE(b.Finish().ok());
  const Channel closed = inspection_->Channels()[0];
  EXPECT_EQ(closed.state(), Channel::STATE_CLOSED);
  EXPECT_EQ(closed.mood(), rendezvous::v1::MOOD_SCARY);
  EXPECT_EQ(closed.initiator().frames_kept(), 0u);
  EXPECT_LE(closed.time_left().seconds(), 600);
  EXPECT_GT(closed.time_left().seconds(), 600 - 120);
}

TEST_P(EveryStoreTest, ShowsWhoWaitsAndWhatHasExpired) {
  AttachRequest brief = OpenAllocate('a');
  brief.mutable_open()->mutable_allocate()->mutable_ttl()->set_nanos(1'000'000);
  AttachClient a(channel_);
  a.Send(brief);
  const uint32_t id = a.Receive()->opened().channel_id();
  const Channel expired = AwaitChannel(
      [](const Channel& channel) { return channel.state() == Channel::STATE_EXPIRED; });
  EXPECT_EQ(expired.channel_id(), id);
  EXPECT_FALSE(expired.named());
  AttachClient waiter(channel_);
  waiter.Send(OpenClaim('c', 99, /*wait=*/true));
  ASSERT_TRUE(waiter.Receive()->has_opened());
  EXPECT_EQ(inspection_->GetRelay().counts().waiting(), 1u);
}

TEST_P(EveryStoreTest, CountsWhatThereIs) {
  const auto pair = OpenPair();
  AttachClient alone(channel_);
  alone.Send(OpenAllocate('d'));
  ASSERT_TRUE(alone.Receive()->has_opened());
  const auto counts = inspection_->GetRelay().counts();
  EXPECT_EQ(counts.apps(), 1u);
  EXPECT_EQ(counts.active_channels(), 2u);
  EXPECT_EQ(counts.resting_channels(), 0u);
  EXPECT_EQ(counts.streams(), 3u);
  EXPECT_EQ(counts.sides_paired(), 2u);
  EXPECT_EQ(counts.sides_alone(), 1u);
  ListAppsResponse apps;
  ASSERT_TRUE(inspection_->List(ListAppsRequest(), apps).ok());
  ASSERT_EQ(apps.apps_size(), 1);
  EXPECT_EQ(apps.apps(0).app_id(), kApp);
  EXPECT_EQ(apps.apps(0).active_channels(), 2u);
  EXPECT_EQ(apps.next_page_token(), "");
}

TEST_F(InspectionTest, ShowsTheRelay) {
  config_.store = {.kind = relay::StoreChoice::Kind::kSqlite, .path = "/var/lib/relay.db"};
  config_.heartbeat = absl::Milliseconds(1500);
  Serve();
  Inspect();
  const GetRelayResponse shown = inspection_->GetRelay();
  EXPECT_EQ(shown.version(), kVersion);
  EXPECT_EQ(shown.started_at().seconds(), absl::ToUnixSeconds(monitor_.started_at()));
  EXPECT_FALSE(shown.draining());
  EXPECT_EQ(shown.store().location(), "sqlite:/var/lib/relay.db");
  EXPECT_TRUE(shown.store().healthy());
  EXPECT_EQ(shown.store().since().seconds(), shown.started_at().seconds());
  EXPECT_EQ(shown.limits().clients().max_frame_bytes(), 66'000u);
  EXPECT_EQ(shown.limits().clients().window_frames(), 16u);
  EXPECT_EQ(shown.limits().clients().window_bytes(), 1u << 20);
  EXPECT_EQ(shown.limits().channel_ttl_default().seconds(), 3600);
  EXPECT_EQ(shown.limits().channel_ttl_max().seconds(), 7 * 24 * 3600);
  EXPECT_EQ(shown.limits().quarantine().seconds(), 600);
  EXPECT_EQ(shown.limits().heartbeat_interval().nanos(), 500'000'000);
  EXPECT_EQ(shown.limits().max_stream_age().seconds(), 3600);
  server_->Withdraw();
  EXPECT_TRUE(inspection_->GetRelay().draining());
}

TEST_F(InspectionTest, ShowsTheStoresTrouble) {
  config_.max_stream_age = absl::InfiniteDuration();
  config_.store.path = "/srv/\xff.db";
  Serve();
  Inspect();
  monitor_.OnTrouble(absl::UnavailableError("the disk is full: \xff"));
  const GetRelayResponse sick = inspection_->GetRelay();
  EXPECT_FALSE(sick.limits().has_max_stream_age());
  EXPECT_FALSE(sick.store().healthy());
  EXPECT_EQ(sick.store().trouble(), "the disk is full: \\xff");
  EXPECT_EQ(sick.store().location(), "sqlite:/srv/\\xff.db");
  monitor_.OnTrouble(absl::OkStatus());
  const GetRelayResponse well = inspection_->GetRelay();
  EXPECT_TRUE(well.store().healthy());
  EXPECT_EQ(well.store().trouble(), "");
  EXPECT_GE(absl::FromUnixSeconds(well.store().since().seconds()) + absl::Seconds(1),
            monitor_.started_at());
}

}  // namespace
}  // namespace wormhole::service_test
