// How many channels there may be and how long their ids are, over real gRPC.
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "tests/relay/relay_server_fixture.h"
#include "tests/support/attach_client.h"

namespace wormhole::service_test {
namespace {

class ChannelLimitsTest : public RelayServerTest {
 protected:
  // The id's digits; 0 when the stream was refused.
  size_t Digits(char token, const std::string& app_id) {
    AttachRequest request = OpenAllocate(token);
    request.mutable_open()->set_app_id(app_id);
    AttachClient client(channel_);
    client.Send(request);
    const auto response = client.Receive();
    if (!response) return 0;
    return std::to_string(response->opened().channel_id()).size();
  }
};

TEST_F(ChannelLimitsTest, AnAppIdHasItsFewestDigits) {
  config_.min_digits = {.otherwise = 2, .of_app = {{"example.com/a", 5}}};
  Serve();
  EXPECT_EQ(Digits('a', "example.com/a"), 5);
  EXPECT_EQ(Digits('b', "example.com/b"), 2);
}

TEST_F(ChannelLimitsTest, WhoComesWhenAllChannelsAreTakenIsToldWhenToComeBack) {
  config_.channel_caps = {.in_all = 1};
  Serve();
  AttachClient first(channel_);
  first.Send(OpenAllocate('a'));
  ASSERT_TRUE(first.Receive().has_value());
  AttachClient second(channel_);
  second.Send(OpenAllocate('b'));
  const absl::Status status = second.Finish();
  const auto detail = error::DetailOf(status);
  ASSERT_TRUE(detail.has_value()) << status;
  EXPECT_EQ(detail->reason(), error::ErrorDetail::REASON_BUSY);
  EXPECT_GT(detail->retry_delay().seconds(), 0);
  first.Send(Close(rendezvous::v1::MOOD_LONELY));
  EXPECT_TRUE(first.Finish().ok());
  AttachClient third(channel_);
  third.Send(OpenAllocate('c'));
  EXPECT_TRUE(third.Receive().has_value());
}

}  // namespace
}  // namespace wormhole::service_test
