#include "proto/error/error_detail.h"

#include <random>
#include <string>

#include "gtest/gtest.h"

namespace wormhole::error {
namespace {

using rendezvous::v1::MOOD_SCARY;

// The envelope as another implementation writes it: google.rpc.Status{5, "gone", [Any]}.
std::string ForeignEnvelope(const std::string& type_url, const std::string& value) {
  std::string any = "\x0a" + std::string(1, static_cast<char>(type_url.size())) + type_url;
  any += "\x12" + std::string(1, static_cast<char>(value.size())) + value;
  std::string envelope("\x08\x05\x12\x04gone", 8);
  return envelope + "\x1a" + std::string(1, static_cast<char>(any.size())) + any;
}

constexpr char kOurs[] = "type.googleapis.com/wormhole.rendezvous.v1.ErrorDetail";

TEST(ErrorDetailTest, EveryReasonHasTheCodeOfTheTable) {
  const struct {
    ErrorDetail::Reason reason;
    absl::StatusCode code;
  } kTable[] = {
      {ErrorDetail::REASON_MALFORMED, absl::StatusCode::kInvalidArgument},
      {ErrorDetail::REASON_NEVER_ALLOCATED, absl::StatusCode::kNotFound},
      {ErrorDetail::REASON_CLOSED, absl::StatusCode::kNotFound},
      {ErrorDetail::REASON_EXPIRED, absl::StatusCode::kNotFound},
      {ErrorDetail::REASON_TAKEN, absl::StatusCode::kAlreadyExists},
      {ErrorDetail::REASON_CROWDED, absl::StatusCode::kAlreadyExists},
      {ErrorDetail::REASON_SIDE_IN_USE, absl::StatusCode::kAlreadyExists},
      {ErrorDetail::REASON_NOT_MEMBER, absl::StatusCode::kPermissionDenied},
      {ErrorDetail::REASON_NOT_ALLOWED, absl::StatusCode::kPermissionDenied},
      {ErrorDetail::REASON_CONFLICT, absl::StatusCode::kAborted},
      {ErrorDetail::REASON_SUPERSEDED, absl::StatusCode::kAborted},
      {ErrorDetail::REASON_STALE_STATE, absl::StatusCode::kFailedPrecondition},
      {ErrorDetail::REASON_PEER_LEFT, absl::StatusCode::kFailedPrecondition},
      {ErrorDetail::REASON_WINDOW, absl::StatusCode::kResourceExhausted},
      {ErrorDetail::REASON_BUSY, absl::StatusCode::kResourceExhausted},
      {ErrorDetail::REASON_DRAINING, absl::StatusCode::kUnavailable},
      {ErrorDetail::REASON_STORE_AWAY, absl::StatusCode::kUnavailable},
  };
  for (const auto& row : kTable) {
    const absl::Status status = Make(row.reason, "why");
    EXPECT_EQ(status.code(), row.code) << ErrorDetail::Reason_Name(row.reason);
    EXPECT_EQ(ReasonOf(status), row.reason);
  }
  EXPECT_EQ(std::size(kTable) + 1, static_cast<size_t>(ErrorDetail::Reason_ARRAYSIZE));
}

TEST(ErrorDetailTest, CrossesTheWireWhole) {
  const absl::Status sent =
      Make(ErrorDetail::REASON_CLOSED, "closed as scary",
           {.field = "f", .retry_delay = absl::Milliseconds(1500), .mood = MOOD_SCARY});
  const absl::Status got =
      FromWire(static_cast<int>(sent.code()), "closed as scary", ToEnvelope(sent));
  EXPECT_EQ(got, sent);
  const ErrorDetail detail = *DetailOf(got);
  EXPECT_EQ(detail.field(), "f");
  EXPECT_EQ(detail.retry_delay().seconds(), 1);
  EXPECT_EQ(detail.retry_delay().nanos(), 500'000'000);
  EXPECT_EQ(detail.mood(), MOOD_SCARY);
}

TEST(ErrorDetailTest, NoDelayIsNotAZeroDelay) {
  EXPECT_FALSE(DetailOf(Make(ErrorDetail::REASON_BUSY, "m"))->has_retry_delay());
  EXPECT_TRUE(DetailOf(Make(ErrorDetail::REASON_BUSY, "m", {.retry_delay = absl::ZeroDuration()}))
                  ->has_retry_delay());
}

TEST(ErrorDetailTest, DelaysStayInTheRangeOfProtobuf) {
  const auto seconds = [](absl::Duration delay) {
    return DetailOf(Make(ErrorDetail::REASON_BUSY, "m", {.retry_delay = delay}))
        ->retry_delay()
        .seconds();
  };
  EXPECT_EQ(seconds(absl::InfiniteDuration()), 315'576'000'000);
  EXPECT_EQ(seconds(-absl::Seconds(5)), 0);
}

TEST(ErrorDetailTest, AStatusWithoutDetailHasNoEnvelope) {
  EXPECT_EQ(ToEnvelope(absl::InternalError("x")), "");
  EXPECT_EQ(ToEnvelope(absl::OkStatus()), "");
  EXPECT_FALSE(DetailOf(absl::InternalError("x")));
  EXPECT_EQ(ReasonOf(absl::OkStatus()), ErrorDetail::REASON_UNSPECIFIED);
}

TEST(ErrorDetailTest, ReadsWhatOthersWrite) {
  ErrorDetail detail;
  detail.set_reason(ErrorDetail::REASON_EXPIRED);
  const absl::Status status =
      FromWire(5, "gone", ForeignEnvelope(kOurs, detail.SerializeAsString()));
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "gone");
  EXPECT_EQ(ReasonOf(status), ErrorDetail::REASON_EXPIRED);
  EXPECT_EQ(ToEnvelope(status), ForeignEnvelope(kOurs, detail.SerializeAsString()));
}

TEST(ErrorDetailTest, ADetailOfAnotherTypeIsLeftOut) {
  const absl::Status status =
      FromWire(5, "gone", ForeignEnvelope("type.googleapis.com/google.rpc.Help", "\x08\x01"));
  EXPECT_EQ(status, absl::NotFoundError("gone"));
}

TEST(ErrorDetailTest, OursIsFoundBehindAnother) {
  ErrorDetail detail;
  detail.set_reason(ErrorDetail::REASON_EXPIRED);
  const std::string other = ForeignEnvelope("type.googleapis.com/google.rpc.Help", "\x08\x01");
  const std::string ours = ForeignEnvelope(kOurs, detail.SerializeAsString());
  EXPECT_EQ(ReasonOf(FromWire(5, "gone", other + ours.substr(8))), ErrorDetail::REASON_EXPIRED);
}

TEST(ErrorDetailTest, UnreadableDetailsLeaveCodeAndMessage) {
  const std::string kBad[] = {
      "",
      "\xff",
      "\x1a",
      "\x1a\x7f",
      std::string(4, '\0'),
      "\x0b",
      "\x1a\x01",
      "\x1a\x02\x0a",
      std::string("\x1a\xff\xff\xff\xff\x7f", 6),
      ForeignEnvelope(kOurs, "\xff\xff"),
      std::string(2 << 20, '\x08'),
  };
  for (const std::string& envelope : kBad) {
    EXPECT_EQ(FromWire(14, "away", envelope), absl::UnavailableError("away"));
  }
}

TEST(ErrorDetailTest, CodesOutsideTheEnumAreUnknown) {
  EXPECT_EQ(FromWire(17, "m", "").code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(FromWire(-1, "m", "").code(), absl::StatusCode::kUnknown);
  EXPECT_TRUE(FromWire(0, "m", "\xff").ok());
}

// Every prefix, every flipped bit and random bytes: no crash, code and message stand.
TEST(ErrorDetailTest, HostileEnvelopesAreHarmless) {
  const std::string good =
      ToEnvelope(Make(ErrorDetail::REASON_MALFORMED, "m",
                      {.field = "open.token", .retry_delay = absl::Seconds(1)}));
  const auto check = [](const std::string& envelope) {
    const absl::Status status = FromWire(3, "m", envelope);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(), "m");
    ReasonOf(status);
    ToEnvelope(status);
  };
  for (size_t size = 0; size < good.size(); ++size) check(good.substr(0, size));
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string flipped = good;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    check(flipped);
  }
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 64, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    check(bytes);
  }
}

}  // namespace
}  // namespace wormhole::error
