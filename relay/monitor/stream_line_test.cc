#include "relay/monitor/stream_line.h"

#include <string>

#include "gtest/gtest.h"
#include "proto/error/error_detail.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::Open;

StreamReport Finished() {
  return {.purpose = Open::kAllocate,
          .app_id = "example.com/app1",
          .channel_id = 4,
          .opened = true,
          .attached = true,
          .posts = 3,
          .post_bytes = 511,
          .messages = 2,
          .mood = rendezvous::v1::MOOD_HAPPY,
          .lasted = absl::Milliseconds(1234),
          .peer = "ipv4:192.0.2.7:50312",
          .traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"};
}

// Without the time, the level and the message.
std::string Fields(const StreamReport& report, bool addresses = false) {
  const std::string line =
      WriteTextLine({.message = "x", .fields = StreamFields(report, addresses)});
  return line.substr(line.find(" x ") + 3);
}

TEST(StreamLineTest, TellsHowAStreamWentAndEnded) {
  EXPECT_EQ(Fields(Finished()),
            "app=example.com/app1 channel=4 purpose=allocate state=attached posts=3 bytes=511 "
            "messages=2 seconds=1.234 end=OK mood=happy client=192.0.2.0/24 "
            "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 parent_id=00f067aa0ba902b7\n");
}

TEST(StreamLineTest, ShowsTheWholeAddressOnlyWhenAsked) {
  EXPECT_NE(Fields(Finished(), true).find(" client=192.0.2.7:50312 "), std::string::npos);
  EXPECT_EQ(Fields(Finished()).find("192.0.2.7"), std::string::npos);
  EXPECT_EQ(Fields(Finished()).find("50312"), std::string::npos);
}

TEST(StreamLineTest, SaysWhyAStreamWasRefused) {
  EXPECT_EQ(Fields({.purpose = Open::kClaim,
                    .app_id = "example.com/app1",
                    .channel_id = 7,
                    .status = error::Make(error::ErrorDetail::REASON_CLOSED, "it is over",
                                          {.mood = rendezvous::v1::MOOD_SCARY}),
                    .peer = "unix:"}),
            "app=example.com/app1 channel=7 purpose=claim state=none posts=0 bytes=0 messages=0 "
            "seconds=0.000 end=NOT_FOUND reason=closed mood=scary client=unix\n");
}

TEST(StreamLineTest, AStreamWithoutARequestHasLittleToTell) {
  EXPECT_EQ(Fields({.status = absl::CancelledError("gone"), .peer = "ipv6:%5B2001:db8::1%5D:1"}),
            "purpose=none state=none posts=0 bytes=0 messages=0 seconds=0.000 end=CANCELLED "
            "client=2001:db8::/48\n");
}

TEST(StreamLineTest, WaitingIsNotAttached) {
  StreamReport report = Finished();
  report.attached = false;
  EXPECT_NE(Fields(report).find("state=waiting"), std::string::npos);
}

TEST(StreamLineTest, WhatIsNotValidIsNotRepeated) {
  StreamReport report = Finished();
  report.app_id = "example.com\nend=OK";
  report.traceparent = "00-what-ever-01";
  report.mood = static_cast<rendezvous::v1::Mood>(77);
  const std::string fields = Fields(report);
  EXPECT_EQ(fields.find("app_invalid=true channel=4"), 0u) << fields;
  EXPECT_NE(fields.find("end=OK client=192.0.2.0/24\n"), std::string::npos) << fields;
}

}  // namespace
}  // namespace wormhole::relay
