#include "client/core/failure.h"

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

// The payload is the reason's name.
constexpr char kReasonUrl[] = "wormhole-sync/reason";
constexpr char kDetailsUrl[] = "wormhole-sync/details";

// Debian's absl::string_view is a class of its own.
absl::string_view Text(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string_view v0::ReasonName(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return "NONE";
    case Reason::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case Reason::kWrongCode:
      return "WRONG_CODE";
    case Reason::kTimeout:
      return "TIMEOUT";
    case Reason::kUnreachable:
      return "UNREACHABLE";
    case Reason::kRefused:
      return "REFUSED";
    case Reason::kCrowded:
      return "CROWDED";
    case Reason::kTaken:
      return "TAKEN";
    case Reason::kNoSuchCode:
      return "NO_SUCH_CODE";
    case Reason::kPeerGaveUp:
      return "PEER_GAVE_UP";
    case Reason::kAborted:
      return "ABORTED";
    case Reason::kCancelled:
      return "CANCELLED";
    case Reason::kStaleState:
      return "STALE_STATE";
    case Reason::kInUseElsewhere:
      return "IN_USE_ELSEWHERE";
    case Reason::kSaveFailed:
      return "SAVE_FAILED";
    case Reason::kBlockingCall:
      return "BLOCKING_CALL";
    case Reason::kInternal:
      return "INTERNAL";
    case Reason::kForged:
      return "FORGED";
    case Reason::kNoCommonVersion:
      return "NO_COMMON_VERSION";
    case Reason::kPeerUnfinished:
      return "PEER_UNFINISHED";
    case Reason::kUnproven:
      return "UNPROVEN";
    case Reason::kForked:
      return "FORKED";
    case Reason::kNotAuthorized:
      return "NOT_AUTHORIZED";
  }
  return "UNKNOWN";
}

Reason v0::ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kReasonUrl);
  if (!payload.has_value()) return Reason::kNone;
  for (int i = 0; i <= static_cast<int>(core::kLastReason); ++i) {
    const auto reason = static_cast<Reason>(i);
    if (*payload == Text(ReasonName(reason))) return reason;
  }
  return Reason::kNone;
}

std::string v0::DetailsOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kDetailsUrl);
  return payload.has_value() ? std::string(*payload) : std::string();
}

namespace core {

absl::Status WithDetails(absl::Status status, std::string_view details) {
  if (details.empty()) return status;
  status.SetPayload(kDetailsUrl, absl::Cord(Text(details)));
  return status;
}

absl::Status WithReason(absl::Status status, Reason reason) {
  status.SetPayload(kReasonUrl, absl::Cord(Text(ReasonName(reason))));
  return status;
}

absl::Status Failure(Reason reason, absl::StatusCode code, std::string_view message) {
  return WithReason(absl::Status(code, Text(message)), reason);
}

}  // namespace core
}  // namespace wormhole
