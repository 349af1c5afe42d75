#include "relay/switchboard/open_request.h"

#include <functional>
#include <iterator>
#include <random>
#include <string>

#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "proto/wire/app_id.h"
#include "proto/wire/side.h"
#include "relay/channel/record.h"

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

// At a limit of some field, or one beside it.
uint64_t AtALimit(std::mt19937& random) {
  constexpr uint64_t kLimits[] = {0, 9, kMaxChannelId, 315'576'000'000, kMaxNumber, UINT64_MAX};
  return kLimits[random() % std::size(kLimits)] + random() % 3 - 1;
}

void SetRandomPurpose(Open& open, std::mt19937& random) {
  switch (random() % 4) {
    case 0: {
      rendezvous::v1::Allocate& allocate = *open.mutable_allocate();
      allocate.set_channel_id(static_cast<uint32_t>(AtALimit(random)));
      allocate.set_min_digits(static_cast<uint32_t>(random() % 12));
      if (random() % 2 == 0) return;
      allocate.mutable_ttl()->set_seconds(static_cast<int64_t>(AtALimit(random)));
      return allocate.mutable_ttl()->set_nanos(static_cast<int32_t>(AtALimit(random)));
    }
    case 1:
      open.mutable_claim()->set_wait(random() % 2 == 0);
      return open.mutable_claim()->set_channel_id(static_cast<uint32_t>(AtALimit(random)));
    case 2:
      return open.mutable_resume()->set_channel_id(static_cast<uint32_t>(AtALimit(random)));
    default:
      return open.clear_purpose();
  }
}

Open RandomOpen(std::mt19937& random) {
  Open open = Good();
  if (random() % 8 == 0) open.set_token(std::string(30 + random() % 4, 't'));
  if (random() % 8 == 0) {
    open.set_app_id(std::string(random() % 300, static_cast<char>(random())));
  }
  if (random() % 2 == 0) open.set_cursor(AtALimit(random));
  SetRandomPurpose(open, random);
  return open;
}

// Other bytes in place of some; what is no Open any more reads as an empty one.
Open Spoiled(const Open& open, std::mt19937& random) {
  std::string bytes = open.SerializeAsString();
  for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
  Open spoiled;
  if (!spoiled.ParseFromString(bytes)) spoiled.Clear();
  return spoiled;
}

void ExpectRefusal(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(status.message().empty());
  const auto detail = error::DetailOf(status);
  ASSERT_TRUE(detail.has_value());
  EXPECT_EQ(detail->reason(), error::ErrorDetail::REASON_MALFORMED);
  EXPECT_EQ(detail->field().rfind("open.", 0), 0u) << detail->field();
}

void ExpectAsTheProtocolSays(const OpenRequest& request, const Open& open) {
  EXPECT_EQ(request.app_id, open.app_id());
  EXPECT_TRUE(wire::CheckAppId(request.app_id).ok());
  EXPECT_EQ(request.side, *wire::SideFromToken(open.token()));
  EXPECT_EQ(request.cursor, open.cursor());
  EXPECT_LE(request.cursor, kMaxNumber);
  EXPECT_LE(request.channel_id, kMaxChannelId);
  EXPECT_TRUE(request.channel_id > 0 || request.purpose == OpenRequest::Purpose::kAllocate);
  EXPECT_GE(request.ttl, absl::ZeroDuration());
  EXPECT_LT(request.ttl, absl::InfiniteDuration());
  EXPECT_GE(request.min_digits, 0);
  EXPECT_LE(request.min_digits, 9);
}

TEST(ParseOpen, RefusesWithTheFieldOrTakesWhatIsInRange) {
  std::mt19937 random(1);
  int taken = 0;
  constexpr int kRounds = 20'000;
  for (int round = 0; round < kRounds && !testing::Test::HasFailure(); ++round) {
    const Open sent = round % 2 == 0 ? RandomOpen(random) : Spoiled(Good(), random);
    SCOPED_TRACE(sent.ShortDebugString());
    Open open = sent;
    const auto request = ParseOpen(open);
    EXPECT_EQ(open.token(), std::string(sent.token().size(), '\0'));
    if (!request.ok()) {
      ExpectRefusal(request.status());
      continue;
    }
    ExpectAsTheProtocolSays(*request, sent);
    ++taken;
  }
  EXPECT_GT(taken, kRounds / 20) << "of everything that was tried";
  EXPECT_LT(taken, kRounds / 2);
}

}  // namespace
}  // namespace wormhole::relay
