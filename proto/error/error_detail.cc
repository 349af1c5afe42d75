#include "proto/error/error_detail.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/cord.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace wormhole::error {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::StringOutputStream;

// Names the detail in an absl::Status and inside google.protobuf.Any alike.
constexpr char kTypeUrl[] = "type.googleapis.com/wormhole.rendezvous.v1.ErrorDetail";

// A tag is the field's number shifted over its wire type (protobuf's encoding guide).
constexpr uint32_t kVarint = 0;
constexpr uint32_t kFixed64 = 1;
constexpr uint32_t kLengthDelimited = 2;
constexpr uint32_t kFixed32 = 5;
constexpr uint32_t Tag(uint32_t field, uint32_t wire_type) { return field << 3 | wire_type; }

// google.rpc.Status
constexpr uint32_t kStatusCode = Tag(1, kVarint);
constexpr uint32_t kStatusMessage = Tag(2, kLengthDelimited);
constexpr uint32_t kStatusDetails = Tag(3, kLengthDelimited);
// google.protobuf.Any
constexpr uint32_t kAnyTypeUrl = Tag(1, kLengthDelimited);
constexpr uint32_t kAnyValue = Tag(2, kLengthDelimited);

constexpr int kLargestCode = static_cast<int>(absl::StatusCode::kUnauthenticated);

// No relay of ours comes near it; gRPC's own limit on metadata is lower still.
constexpr size_t kMaxEnvelopeBytes = 1 << 20;

void WriteString(CodedOutputStream& out, uint32_t tag, std::string_view value) {
  out.WriteTag(tag);
  out.WriteVarint32(static_cast<uint32_t>(value.size()));
  out.WriteRaw(value.data(), static_cast<int>(value.size()));
}

bool ReadString(CodedInputStream& in, std::string& value) {
  uint32_t size = 0;
  if (!in.ReadVarint32(&size) || size > kMaxEnvelopeBytes) return false;
  return in.ReadString(&value, static_cast<int>(size));
}

// Groups are not skipped: nothing that speaks to us writes them.
bool SkipField(CodedInputStream& in, uint32_t tag) {
  uint64_t ignored = 0;
  uint32_t size = 0;
  switch (tag & 7) {
    case kVarint:
      return in.ReadVarint64(&ignored);
    case kFixed64:
      return in.Skip(8);
    case kLengthDelimited:
      return in.ReadVarint32(&size) && size <= kMaxEnvelopeBytes && in.Skip(static_cast<int>(size));
    case kFixed32:
      return in.Skip(4);
    default:
      return false;
  }
}

CodedInputStream Reader(std::string_view bytes) {
  return CodedInputStream(reinterpret_cast<const uint8_t*>(bytes.data()),
                          static_cast<int>(bytes.size()));
}

// The value of an Any, if it is one of ours.
std::optional<std::string> ReadAny(std::string_view bytes) {
  CodedInputStream in = Reader(bytes);
  std::string type_url;
  std::string value;
  while (const uint32_t tag = in.ReadTag()) {
    const bool read = tag == kAnyTypeUrl ? ReadString(in, type_url)
                      : tag == kAnyValue ? ReadString(in, value)
                                         : SkipField(in, tag);
    if (!read) return std::nullopt;
  }
  if (!in.ConsumedEntireMessage() || type_url != kTypeUrl) return std::nullopt;
  return value;
}

// The first detail of ours in an envelope.
std::optional<std::string> ReadEnvelope(std::string_view bytes) {
  if (bytes.size() > kMaxEnvelopeBytes) return std::nullopt;
  CodedInputStream in = Reader(bytes);
  while (const uint32_t tag = in.ReadTag()) {
    if (tag != kStatusDetails) {
      if (!SkipField(in, tag)) return std::nullopt;
      continue;
    }
    std::string any;
    if (!ReadString(in, any)) return std::nullopt;
    if (std::optional<std::string> detail = ReadAny(any)) return detail;
  }
  return std::nullopt;
}

// google.protobuf.Duration has a narrower range than absl::Duration, and wants equal signs.
void SetDuration(absl::Duration from, google::protobuf::Duration& to) {
  constexpr int64_t kMaxSeconds = 315'576'000'000;
  if (from > absl::Seconds(kMaxSeconds)) from = absl::Seconds(kMaxSeconds);
  if (from < absl::ZeroDuration()) from = absl::ZeroDuration();
  to.set_seconds(absl::IDivDuration(from, absl::Seconds(1), &from));
  to.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(from)));
}

}  // namespace

absl::StatusCode CodeOf(Reason reason) {
  switch (reason) {
    case ErrorDetail::REASON_MALFORMED:
      return absl::StatusCode::kInvalidArgument;
    case ErrorDetail::REASON_NEVER_ALLOCATED:
    case ErrorDetail::REASON_CLOSED:
    case ErrorDetail::REASON_EXPIRED:
      return absl::StatusCode::kNotFound;
    case ErrorDetail::REASON_TAKEN:
    case ErrorDetail::REASON_CROWDED:
    case ErrorDetail::REASON_SIDE_IN_USE:
      return absl::StatusCode::kAlreadyExists;
    case ErrorDetail::REASON_NOT_MEMBER:
    case ErrorDetail::REASON_NOT_ALLOWED:
      return absl::StatusCode::kPermissionDenied;
    case ErrorDetail::REASON_CONFLICT:
    case ErrorDetail::REASON_SUPERSEDED:
      return absl::StatusCode::kAborted;
    case ErrorDetail::REASON_STALE_STATE:
    case ErrorDetail::REASON_PEER_LEFT:
      return absl::StatusCode::kFailedPrecondition;
    case ErrorDetail::REASON_WINDOW:
    case ErrorDetail::REASON_BUSY:
      return absl::StatusCode::kResourceExhausted;
    case ErrorDetail::REASON_DRAINING:
    case ErrorDetail::REASON_STORE_AWAY:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kUnknown;
  }
}

absl::Status Make(ErrorDetail::Reason reason, std::string_view message, DetailFields fields) {
  ErrorDetail detail;
  detail.set_reason(reason);
  detail.set_field(std::move(fields.field));
  detail.set_mood(fields.mood);
  if (fields.retry_delay) SetDuration(*fields.retry_delay, *detail.mutable_retry_delay());
  absl::Status status(CodeOf(reason), absl::string_view(message.data(), message.size()));
  status.SetPayload(kTypeUrl, absl::Cord(detail.SerializeAsString()));
  return status;
}

std::optional<ErrorDetail> DetailOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kTypeUrl);
  if (!payload) return std::nullopt;
  ErrorDetail detail;
  if (!detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

ErrorDetail::Reason ReasonOf(const absl::Status& status) {
  const std::optional<ErrorDetail> detail = DetailOf(status);
  return detail ? detail->reason() : ErrorDetail::REASON_UNSPECIFIED;
}

std::string ToEnvelope(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kTypeUrl);
  if (!payload) return "";
  std::string any;
  {
    StringOutputStream stream(&any);
    CodedOutputStream out(&stream);
    WriteString(out, kAnyTypeUrl, kTypeUrl);
    WriteString(out, kAnyValue, std::string(*payload));
  }
  std::string envelope;
  {
    StringOutputStream stream(&envelope);
    CodedOutputStream out(&stream);
    out.WriteTag(kStatusCode);
    out.WriteVarint32(static_cast<uint32_t>(status.code()));
    WriteString(out, kStatusMessage,
                std::string_view(status.message().data(), status.message().size()));
    WriteString(out, kStatusDetails, any);
  }
  return envelope;
}

absl::Status FromWire(int code, std::string_view message, std::string_view envelope) {
  if (code == 0) return absl::OkStatus();
  const bool known = code > 0 && code <= kLargestCode;
  absl::Status status(known ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown,
                      absl::string_view(message.data(), message.size()));
  const std::optional<std::string> value = ReadEnvelope(envelope);
  ErrorDetail detail;
  if (value && detail.ParseFromString(*value)) status.SetPayload(kTypeUrl, absl::Cord(*value));
  return status;
}

}  // namespace wormhole::error
