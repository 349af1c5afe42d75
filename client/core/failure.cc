#include "client/core/failure.h"

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

// The payload is the reason's number in decimal.
constexpr char kReasonUrl[] = "wormhole-sync/reason";
constexpr char kDetailsUrl[] = "wormhole-sync/details";

}  // namespace

Reason ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kReasonUrl);
  if (!payload.has_value()) return Reason::kNone;
  int number = 0;
  if (!absl::SimpleAtoi(std::string(*payload), &number)) return Reason::kNone;
  if (number < 0 || number > static_cast<int>(kLastReason)) return Reason::kNone;
  return static_cast<Reason>(number);
}

std::string DetailsOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kDetailsUrl);
  return payload.has_value() ? std::string(*payload) : std::string();
}

namespace core {

absl::Status WithDetails(absl::Status status, std::string_view details) {
  if (details.empty()) return status;
  status.SetPayload(kDetailsUrl, absl::Cord(absl::string_view(details.data(), details.size())));
  return status;
}

absl::Status WithReason(absl::Status status, Reason reason) {
  status.SetPayload(kReasonUrl, absl::Cord(absl::StrCat(static_cast<int>(reason))));
  return status;
}

absl::Status Failure(Reason reason, absl::StatusCode code, std::string_view message) {
  return WithReason(absl::Status(code, absl::string_view(message.data(), message.size())), reason);
}

}  // namespace core
}  // namespace wormhole
