#include "relay/switchboard/refusals.h"

#include "absl/strings/str_cat.h"
#include "proto/error/error_detail.h"

namespace wormhole::relay {

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
