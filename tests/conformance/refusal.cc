#include "tests/conformance/refusal.h"

#include "envelope.pb.h"

namespace wormhole::conformance {
namespace {

constexpr char kTypeUrl[] = "type.googleapis.com/wormhole.rendezvous.v1.ErrorDetail";

}  // namespace

grpc::StatusCode CodeOf(ErrorDetail::Reason reason) {
  switch (reason) {
    case ErrorDetail::REASON_MALFORMED:
      return grpc::INVALID_ARGUMENT;
    case ErrorDetail::REASON_NEVER_ALLOCATED:
    case ErrorDetail::REASON_CLOSED:
    case ErrorDetail::REASON_EXPIRED:
      return grpc::NOT_FOUND;
    case ErrorDetail::REASON_TAKEN:
    case ErrorDetail::REASON_CROWDED:
    case ErrorDetail::REASON_SIDE_IN_USE:
      return grpc::ALREADY_EXISTS;
    case ErrorDetail::REASON_NOT_MEMBER:
    case ErrorDetail::REASON_NOT_ALLOWED:
      return grpc::PERMISSION_DENIED;
    case ErrorDetail::REASON_CONFLICT:
    case ErrorDetail::REASON_SUPERSEDED:
      return grpc::ABORTED;
    case ErrorDetail::REASON_STALE_STATE:
    case ErrorDetail::REASON_PEER_LEFT:
      return grpc::FAILED_PRECONDITION;
    case ErrorDetail::REASON_WINDOW:
    case ErrorDetail::REASON_BUSY:
      return grpc::RESOURCE_EXHAUSTED;
    case ErrorDetail::REASON_DRAINING:
    case ErrorDetail::REASON_STORE_AWAY:
      return grpc::UNAVAILABLE;
    default:
      return grpc::UNKNOWN;
  }
}

grpc::Status RefusalAs(grpc::StatusCode code, const ErrorDetail& detail) {
  const std::string message = "the scripted relay says no";
  Envelope envelope;
  envelope.set_code(code);
  envelope.set_message(message);
  Envelope::Detail& wrapped = *envelope.add_details();
  wrapped.set_type_url(kTypeUrl);
  wrapped.set_value(detail.SerializeAsString());
  return {code, message, envelope.SerializeAsString()};
}

grpc::Status Refusal(const ErrorDetail& detail) {
  return RefusalAs(CodeOf(detail.reason()), detail);
}

grpc::Status Refusal(ErrorDetail::Reason reason) {
  ErrorDetail detail;
  detail.set_reason(reason);
  if (reason == ErrorDetail::REASON_MALFORMED) detail.set_field("open");
  return Refusal(detail);
}

grpc::Status Closed(rendezvous::v1::Mood mood) {
  ErrorDetail detail;
  detail.set_reason(ErrorDetail::REASON_CLOSED);
  detail.set_mood(mood);
  return Refusal(detail);
}

grpc::Status Later(ErrorDetail::Reason reason, int64_t milliseconds) {
  ErrorDetail detail;
  detail.set_reason(reason);
  detail.mutable_retry_delay()->set_seconds(milliseconds / 1000);
  detail.mutable_retry_delay()->set_nanos(static_cast<int32_t>(milliseconds % 1000 * 1'000'000));
  return Refusal(detail);
}

std::optional<ErrorDetail> DetailOf(const grpc::Status& status) {
  Envelope envelope;
  if (!envelope.ParseFromString(status.error_details())) return std::nullopt;
  for (const Envelope::Detail& wrapped : envelope.details()) {
    ErrorDetail detail;
    if (wrapped.type_url() == kTypeUrl && detail.ParseFromString(wrapped.value())) return detail;
  }
  return std::nullopt;
}

std::string Describe(const grpc::Status& status) {
  std::string text =
      "code " + std::to_string(status.error_code()) + " (" + status.error_message() + ")";
  if (const auto detail = DetailOf(status)) text += " " + detail->ShortDebugString();
  return text;
}

}  // namespace wormhole::conformance
