#include "relay/open_request.h"

#include <functional>
#include <string>

#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "proto/wire/side.h"
#include "relay/channel.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::Open;

const std::string kToken(32, 't');

Open Good() {
  Open open;
  open.set_app_id("example.com/app1");
  open.set_token(kToken);
  open.set_cursor(7);
  open.mutable_resume()->set_channel_id(4);
  return open;
}

TEST(ParseOpen, TakesWhatThereIs) {
  Open open = Good();
  const OpenRequest request = *ParseOpen(open);
  EXPECT_EQ(request.app_id, "example.com/app1");
  EXPECT_EQ(request.side, *wire::SideFromToken(kToken));
  EXPECT_EQ(request.cursor, 7u);
  EXPECT_EQ(request.purpose, OpenRequest::Purpose::kResume);
  EXPECT_EQ(request.channel_id, 4u);
}

TEST(ParseOpen, Allocate) {
  Open open = Good();
  open.mutable_allocate()->mutable_ttl()->set_seconds(90);
  open.mutable_allocate()->set_min_digits(3);
  open.mutable_allocate()->set_channel_id(kMaxChannelId);
  const OpenRequest request = *ParseOpen(open);
  EXPECT_EQ(request.purpose, OpenRequest::Purpose::kAllocate);
  EXPECT_EQ(request.ttl, absl::Seconds(90));
  EXPECT_EQ(request.min_digits, 3);
  EXPECT_EQ(request.channel_id, kMaxChannelId);
}

TEST(ParseOpen, AllocateWithDefaults) {
  Open open = Good();
  open.mutable_allocate();
  const OpenRequest request = *ParseOpen(open);
  EXPECT_EQ(request.ttl, absl::ZeroDuration());
  EXPECT_EQ(request.min_digits, 0);
  EXPECT_EQ(request.channel_id, 0u);
}

TEST(ParseOpen, Claim) {
  Open open = Good();
  open.mutable_claim()->set_channel_id(12);
  open.mutable_claim()->set_wait(true);
  const OpenRequest request = *ParseOpen(open);
  EXPECT_EQ(request.purpose, OpenRequest::Purpose::kClaim);
  EXPECT_EQ(request.channel_id, 12u);
  EXPECT_TRUE(request.wait);
}

TEST(ParseOpen, WipesTheTokenInAnyCase) {
  Open good = Good();
  ASSERT_TRUE(ParseOpen(good).ok());
  EXPECT_EQ(good.token(), std::string(32, '\0'));
  Open bad = Good();
  bad.set_app_id("");
  ASSERT_FALSE(ParseOpen(bad).ok());
  EXPECT_EQ(bad.token(), std::string(32, '\0'));
}

struct BadOpen {
  const char* field;
  std::function<void(Open&)> spoil;
};

TEST(ParseOpen, NamesTheFieldAtFault) {
  const BadOpen cases[] = {
      {"open.token", [](Open& o) { o.set_token(std::string(31, 't')); }},
      {"open.token", [](Open& o) { o.set_token(std::string(33, 't')); }},
      {"open.token", [](Open& o) { o.clear_token(); }},
      {"open.app_id", [](Open& o) { o.clear_app_id(); }},
      {"open.app_id", [](Open& o) { o.set_app_id(std::string(256, 'a')); }},
      {"open.app_id", [](Open& o) { o.set_app_id("a\nb"); }},
      {"open.cursor", [](Open& o) { o.set_cursor(uint64_t{1} << 63); }},
      {"open.purpose", [](Open& o) { o.clear_purpose(); }},
      {"open.resume.channel_id", [](Open& o) { o.mutable_resume()->set_channel_id(0); }},
      {"open.resume.channel_id",
       [](Open& o) { o.mutable_resume()->set_channel_id(1'000'000'000); }},
      {"open.claim.channel_id", [](Open& o) { o.mutable_claim(); }},
      {"open.allocate.channel_id",
       [](Open& o) { o.mutable_allocate()->set_channel_id(1'000'000'000); }},
      {"open.allocate.min_digits", [](Open& o) { o.mutable_allocate()->set_min_digits(10); }},
      {"open.allocate.ttl", [](Open& o) { o.mutable_allocate()->mutable_ttl()->set_seconds(-1); }},
      {"open.allocate.ttl", [](Open& o) { o.mutable_allocate()->mutable_ttl()->set_nanos(-1); }},
      {"open.allocate.ttl",
       [](Open& o) { o.mutable_allocate()->mutable_ttl()->set_nanos(1'000'000'000); }},
      {"open.allocate.ttl",
       [](Open& o) { o.mutable_allocate()->mutable_ttl()->set_seconds(INT64_MAX); }},
  };
  for (const BadOpen& bad : cases) {
    Open open = Good();
    bad.spoil(open);
    const absl::Status status = ParseOpen(open).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad.field;
    ASSERT_TRUE(error::DetailOf(status).has_value()) << bad.field;
    EXPECT_EQ(error::ReasonOf(status), error::ErrorDetail::REASON_MALFORMED);
    EXPECT_EQ(error::DetailOf(status)->field(), bad.field);
  }
}

}  // namespace
}  // namespace wormhole::relay
