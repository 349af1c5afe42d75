// Listings of InspectionService, page by page, over real gRPC.
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "relay/channel/record.h"
#include "relay/channel/rules.h"
#include "relay/store/sqlite/sqlite_store.h"
#include "tests/relay/inspection_fixture.h"
#include "tests/store/start_store.h"
#include "tests/support/temp_folder.h"

namespace wormhole::service_test {
namespace {

using rendezvous::v1::Channel;
using rendezvous::v1::ListAppsRequest;
using rendezvous::v1::ListAppsResponse;
using rendezvous::v1::ListChannelsRequest;
using rendezvous::v1::ListChannelsResponse;

// A file with so many channels in two apps.
std::unique_ptr<relay::SqliteStore> SeededStore(const std::string& file, uint32_t per_app) {
  auto store = relay::SqliteStore::Open(file).value();
  EXPECT_TRUE(relay::StartStore(*store).ok());
  for (const char* app : {"b", "a"}) {
    for (uint32_t id = per_app; id > 0; --id) {
      const std::string side = (app + std::to_string(id)).append(16, '.').substr(0, 16);
      store->Put({app, id}, 0,
                 relay::NewChannel(side, "", /*named=*/false, absl::Hours(1), absl::Now(), {}), {},
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

  const testing::TempFolder folder_;
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

}  // namespace
}  // namespace wormhole::service_test
