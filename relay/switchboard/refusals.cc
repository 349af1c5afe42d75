#include "relay/switchboard/refusals.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "proto/error/error_detail.h"

namespace wormhole::relay {
namespace {

const char* Complaint(Refusal refusal) {
  switch (refusal) {
    case Refusal::kConnectionRate:
      return "this address connects more often than the relay allows";
    case Refusal::kStreamRate:
      return "this address opens streams more often than the relay allows";
    case Refusal::kStreamsOfAddress:
      return "this address has as many streams as the relay allows";
    case Refusal::kAllocationRate:
      return "this address allocates channels more often than the relay allows";
    case Refusal::kClaimRate:
      return "this address claims channels more often than the relay allows";
    case Refusal::kFailedClaimRate:
      return "too many claims of this address found no channel; check the code";
    case Refusal::kChannelsOfAddress:
      return "this address has as many active channels as the relay allows";
    case Refusal::kStreamsInAll:
      return "the relay has as many streams as it allows";
    case Refusal::kChannelsOfApp:
      return "this app-id has as many active channels as the relay allows";
    case Refusal::kChannelsInAll:
      return "the relay has as many active channels as it allows";
    case Refusal::kStoredBytes:
      return "the relay keeps as many frames as it allows";
    case Refusal::kMemory:
      return "the relay is short of memory";
  }
  return "the relay is busy";
}

}  // namespace

using error::ErrorDetail;
using error::Make;

absl::Status Malformed(std::string_view field, std::string_view message) {
  return Make(ErrorDetail::REASON_MALFORMED, message, {.field = std::string(field)});
}

absl::Status NeverAllocated(uint32_t channel_id) {
  return Make(ErrorDetail::REASON_NEVER_ALLOCATED,
              absl::StrCat("there is no channel ", channel_id, "; check the code"));
}

absl::Status Taken(uint32_t channel_id) {
  return Make(ErrorDetail::REASON_TAKEN,
              absl::StrCat("channel ", channel_id,
                           " is in use or was until a short while ago; agree on another code"));
}

absl::Status LateWaiter() {
  return Make(ErrorDetail::REASON_CROWDED,
              "another receiver that waited for this channel came first; agree on a new code");
}

absl::Status SideInUse() {
  return Make(ErrorDetail::REASON_SIDE_IN_USE,
              "this token belongs to another channel or role; draw a new one");
}

absl::Status Superseded() {
  return Make(ErrorDetail::REASON_SUPERSEDED, "this side has attached on another stream");
}

absl::Status Conflict(uint64_t number) {
  return Make(ErrorDetail::REASON_CONFLICT,
              absl::StrCat("frame ", number,
                           " was posted before with other bytes: another copy of this side's state "
                           "is or was in use"));
}

// NOT_ALLOWED also with UNAUTHENTICATED: clients take a reason that they know for final whatever
// the code, and behind haproxy gRPC has nothing but the reason for them, neither code nor message.
absl::Status TokenRefused(TokenVerdict verdict, TokenUse use) {
  const char* const what = use == TokenUse::kAllocate ? "allocate" : "claim";
  if (verdict == TokenVerdict::kNotForThis) {
    return Make(ErrorDetail::REASON_NOT_ALLOWED,
                absl::StrCat("the bearer token may not ", what,
                             " in this app-id; ask who runs the relay for one that may"));
  }
  const std::string message =
      absl::StrCat(verdict == TokenVerdict::kMissing
                       ? "a bearer token is needed to "
                       : "the relay does not know this bearer token, and one is needed to ",
                   what, " in this app-id; ask who runs the relay for one");
  absl::Status status = absl::UnauthenticatedError(message);
  Make(ErrorDetail::REASON_NOT_ALLOWED, message)
      .ForEachPayload([&status](absl::string_view type, const absl::Cord& detail) {
        status.SetPayload(type, detail);
      });
  return status;
}

absl::Status TooManyWaiters(absl::Duration retry_delay) {
  return Make(ErrorDetail::REASON_BUSY,
              "as many receivers as the relay allows wait for this channel already; come back a "
              "little later",
              {.retry_delay = retry_delay});
}

absl::Status Busy(absl::Duration retry_delay) {
  return Make(ErrorDetail::REASON_BUSY,
              "too many others are changing the same thing; come back a little later",
              {.retry_delay = retry_delay});
}

absl::Status BeyondLimit(Refusal refusal, absl::Duration retry_delay) {
  return Make(ErrorDetail::REASON_BUSY,
              absl::StrCat(Complaint(refusal), "; come back a little later"),
              {.retry_delay = retry_delay});
}

absl::Status Draining(absl::Duration retry_delay) {
  return Make(ErrorDetail::REASON_DRAINING,
              "the relay ends this stream; nothing is lost, resume on a new one a little later",
              {.retry_delay = retry_delay});
}

absl::Status StoreAway(absl::Duration retry_delay) {
  return Make(ErrorDetail::REASON_STORE_AWAY,
              "the relay cannot reach its store; nothing is lost, come back a little later",
              {.retry_delay = retry_delay});
}

}  // namespace wormhole::relay
