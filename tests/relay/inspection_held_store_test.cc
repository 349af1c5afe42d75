// Listings of InspectionService while the store does not answer, over real gRPC.
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "proto/sync/mutex.h"
#include "relay/server/admin_port.h"
#include "tests/relay/inspection_fixture.h"

namespace wormhole::service_test {
namespace {

using rendezvous::v1::ListChannelsRequest;
using rendezvous::v1::ListChannelsResponse;

// Its store does not answer until the test says so.
class HeldSwitchboard final : public relay::Switchboard {
 public:
  using Done = std::function<void(absl::StatusOr<relay::ChannelPage>)>;

  std::shared_ptr<relay::Attachment> Attach(std::shared_ptr<relay::Sink>,
                                            relay::StreamOrigin) override {
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
  for (const auto& done : held) done(relay::ChannelPage());
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
  reading[0](relay::ChannelPage());
  bool good = false;
  std::thread next([&] { good = ListIn(admin_->address()).ok(); });
  for (const auto& done : switchboard_.AwaitHeld(1)) done(relay::ChannelPage());
  next.join();
  EXPECT_TRUE(good);
  for (size_t n = 1; n < reading.size(); ++n) reading[n](relay::ChannelPage());
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
  held[0](relay::ChannelPage());
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
