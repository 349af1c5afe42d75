// What InspectionService shows of a relay and its channels, over real gRPC.
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "proto/sync/mutex.h"
#include "relay/admin_port.h"
#include "relay/store/sqlite.h"
#include "relay/version.h"
#include "tests/service/inspection_fixture.h"
#include "tests/store/temp_folder.h"

namespace wormhole::service_test {
namespace {

using rendezvous::v1::Channel;
using rendezvous::v1::ChannelSide;
using rendezvous::v1::GetRelayResponse;
using rendezvous::v1::ListAppsRequest;
using rendezvous::v1::ListAppsResponse;
using rendezvous::v1::ListChannelsRequest;
using rendezvous::v1::ListChannelsResponse;

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
    }
  }

  const relay::TempFolder folder_;
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
  EXPECT_EQ(shown.version(), relay::kVersion);
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

// A file with so many channels in two apps.
std::unique_ptr<relay::SqliteStore> SeededStore(const std::string& file, uint32_t per_app) {
  auto store = relay::SqliteStore::Open(file).value();
  EXPECT_TRUE(store->ForEach([](const relay::ChannelKey&, bool) {}).ok());
  for (const char* app : {"b", "a"}) {
    for (uint32_t id = per_app; id > 0; --id) {
      const std::string side = (app + std::to_string(id)).append(16, '.').substr(0, 16);
      store->Put({app, id}, 0,
                 relay::NewChannel(side, "", /*named=*/false, absl::Hours(1), absl::Now(), {}),
                 [](const absl::StatusOr<relay::PutOutcome>& put) { EXPECT_TRUE(put.ok()); });
    }
  }
  store->Flush();
  store.reset();
  return relay::SqliteStore::Open(file).value();
}

class PagesTest : public InspectionTest {
 protected:
  void ServeSeeded(uint32_t per_app) {
    sqlite_ = SeededStore(folder_.File("relay.db"), per_app);
    ServeFrom(sqlite_.get());
    Inspect();
  }
  ~PagesTest() override { server_.reset(); }

  // "a/1 a/2; a/3", page by page.
  std::string Listed(const std::string& app_id, uint32_t page_size) {
    std::string listed;
    ListChannelsRequest request;
    request.set_app_id(app_id);
    request.set_page_size(page_size);
    while (true) {
      ListChannelsResponse page;
      EXPECT_TRUE(inspection_->List(request, page).ok());
      for (const Channel& channel : page.channels()) {
        if (!listed.empty() && listed.back() != ' ') listed += ' ';
        listed += channel.app_id() + "/" + std::to_string(channel.channel_id());
      }
      if (page.next_page_token().empty()) return listed;
      listed += "; ";
      request.set_page_token(page.next_page_token());
    }
  }

  const relay::TempFolder folder_;
  std::unique_ptr<relay::SqliteStore> sqlite_;
};

TEST_F(PagesTest, EachChannelIsOnOnePage) {
  ServeSeeded(3);
  EXPECT_EQ(Listed("", 100), "a/1 a/2 a/3 b/1 b/2 b/3");
  EXPECT_EQ(Listed("", 4), "a/1 a/2 a/3 b/1; b/2 b/3");
  EXPECT_EQ(Listed("b", 2), "b/1 b/2; b/3");
  EXPECT_EQ(Listed("c", 2), "");
  ListAppsRequest request;
  request.set_page_size(1);
  ListAppsResponse first;
  ASSERT_TRUE(inspection_->List(request, first).ok());
  ASSERT_EQ(first.apps_size(), 1);
  EXPECT_EQ(first.apps(0).app_id(), "a");
  request.set_page_token(first.next_page_token());
  ListAppsResponse second;
  ASSERT_TRUE(inspection_->List(request, second).ok());
  ASSERT_EQ(second.apps_size(), 1);
  EXPECT_EQ(second.apps(0).app_id(), "b");
  EXPECT_EQ(second.next_page_token(), "");
}

TEST_F(PagesTest, APageHasAHundredOrAThousandAtMost) {
  ServeSeeded(502);
  ListChannelsRequest request;
  ListChannelsResponse page;
  ASSERT_TRUE(inspection_->List(request, page).ok());
  EXPECT_EQ(page.channels_size(), 100);
  request.set_page_size(0xffffffff);
  ASSERT_TRUE(inspection_->List(request, page).ok());
  EXPECT_EQ(page.channels_size(), 1000);
  request.set_page_token(page.next_page_token());
  ASSERT_TRUE(inspection_->List(request, page).ok());
  EXPECT_EQ(page.channels_size(), 4);
}

TEST_F(PagesTest, WhatIsNoTokenIsRefused) {
  ServeSeeded(3);
  ListChannelsRequest channels;
  ListAppsRequest apps;
  ListChannelsResponse channels_page;
  ListAppsResponse apps_page;
  channels.set_page_size(1);
  apps.set_page_size(1);
  ASSERT_TRUE(inspection_->List(channels, channels_page).ok());
  ASSERT_TRUE(inspection_->List(apps, apps_page).ok());
  const std::string channel_token = channels_page.next_page_token();
  const std::string app_token = apps_page.next_page_token();
  for (const std::string& token : {std::string("x"), std::string(60'000, 'A'), channel_token}) {
    apps.set_page_token(token);
    const grpc::Status status = inspection_->List(apps, apps_page);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(FieldOf(status), "page_token");
  }
  for (const std::string& token : {std::string("x"), std::string(60'000, 'A'), app_token}) {
    channels.set_page_token(token);
    const grpc::Status status = inspection_->List(channels, channels_page);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(FieldOf(status), "page_token");
  }
  channels.set_page_token(channel_token);  // of all apps, behind a/1
  channels.set_app_id("b");
  EXPECT_EQ(FieldOf(inspection_->List(channels, channels_page)), "page_token");
}

TEST_F(PagesTest, WhatIsNoAppIdIsRefused) {
  ServeSeeded(1);
  for (const std::string& app_id : {std::string("a\nb"), std::string(256, 'x')}) {
    ListChannelsRequest request;
    ListChannelsResponse page;
    request.set_app_id(app_id);
    const grpc::Status status = inspection_->List(request, page);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(FieldOf(status), "app_id");
  }
}

// Its store does not answer until the test says so.
class HeldSwitchboard final : public relay::Switchboard {
 public:
  using Done = std::function<void(absl::StatusOr<ChannelPage>)>;

  std::shared_ptr<relay::Attachment> Attach(std::shared_ptr<relay::Sink>) override {
    return nullptr;
  }
  void Tick() override {}
  void Drain() override {}
  relay::SwitchboardCounts Count() override { return {}; }
  std::vector<relay::AppView> ListApps(const std::string&, size_t) override { return {}; }
  void ListChannels(const std::string&, const relay::ChannelKey&, size_t, Done done) override {
    sync::MutexLock lock(mutex_);
    held_.push_back(std::move(done));
    changed_.NotifyAll();
  }

  std::vector<Done> AwaitHeld(size_t count) {
    sync::MutexLock lock(mutex_);
    while (held_.size() < count) changed_.Wait(mutex_);
    return std::move(held_);
  }

 private:
  sync::Mutex mutex_;
  sync::CondVar changed_;
  std::vector<Done> held_ WORMHOLE_GUARDED_BY(mutex_);
};

class HeldStoreTest : public ::testing::Test {
 protected:
  HeldStoreTest() {
    config_.admin_listen = "127.0.0.1:0";
    admin_ = relay::AdminPort::Open(config_, &switchboard_, &monitor_, &serving_).value();
  }

  void Close() { admin_->Close(std::chrono::steady_clock::now()); }

  RelayConfig config_;
  relay::Monitor monitor_{config_};
  relay::ServingState serving_;
  HeldSwitchboard switchboard_;
  std::unique_ptr<relay::AdminPort> admin_;
};

grpc::Status ListIn(const std::string& address) {
  ListChannelsResponse page;
  return InspectionClient(address).List(ListChannelsRequest(), page);
}

TEST_F(HeldStoreTest, OnlySoManyPagesAreReadAtATime) {
  std::vector<std::thread> listings;
  std::atomic<int> good = 0;
  for (int n = 0; n < relay::InspectionService::kMaxListings; ++n) {
    listings.emplace_back([&] { good += ListIn(admin_->address()).ok() ? 1 : 0; });
  }
  const auto held = switchboard_.AwaitHeld(listings.size());
  const grpc::Status refused = ListIn(admin_->address());
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << refused.error_message();
  for (const auto& done : held) done(relay::Switchboard::ChannelPage());
  for (std::thread& listing : listings) listing.join();
  EXPECT_EQ(good, 4);
}

// The store goes on reading what nobody waits for any more.
TEST_F(HeldStoreTest, APageCountsUntilTheStoreHasAnsweredAlsoWhenItsClientHasGone) {
  InspectionClient client(admin_->address());
  std::vector<HeldSwitchboard::Done> reading;
  for (int n = 0; n < relay::InspectionService::kMaxListings; ++n) {
    grpc::ClientContext context;
    std::thread listing([&] {
      ListChannelsResponse page;
      client.stub().ListChannels(&context, ListChannelsRequest(), &page);
    });
    reading.push_back(switchboard_.AwaitHeld(1).at(0));
    context.TryCancel();
    listing.join();
  }
  EXPECT_EQ(ListIn(admin_->address()).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  reading[0](relay::Switchboard::ChannelPage());
  bool good = false;
  std::thread next([&] { good = ListIn(admin_->address()).ok(); });
  for (const auto& done : switchboard_.AwaitHeld(1)) done(relay::Switchboard::ChannelPage());
  next.join();
  EXPECT_TRUE(good);
  for (size_t n = 1; n < reading.size(); ++n) reading[n](relay::Switchboard::ChannelPage());
}

// The store's answer finds nobody.
TEST_F(HeldStoreTest, TheEndOfTheRelayDoesNotWaitForTheStore) {
  grpc::Status status;
  std::thread listing([&] { status = ListIn(admin_->address()); });
  const auto held = switchboard_.AwaitHeld(1);
  Close();
  listing.join();
  EXPECT_FALSE(status.ok());
  admin_.reset();
  held[0](relay::Switchboard::ChannelPage());
}

TEST_F(HeldStoreTest, TheStoresErrorIsTold) {
  grpc::Status status;
  std::thread listing([&] { status = ListIn(admin_->address()); });
  switchboard_.AwaitHeld(1)[0](absl::UnavailableError("the store is away"));
  listing.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "the store is away");
}

}  // namespace
}  // namespace wormhole::service_test
