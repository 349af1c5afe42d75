// The switchboard's refusals whose words do not depend on a rule: see proto/error/error_detail.h
// for their codes.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_REFUSALS_H_
#define WORMHOLE_RELAY_SWITCHBOARD_REFUSALS_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "relay/admission/refusal.h"
#include "relay/admission/token_list.h"

namespace wormhole::relay {

absl::Status Malformed(std::string_view field, std::string_view message);
absl::Status NeverAllocated(uint32_t channel_id);
absl::Status Taken(uint32_t channel_id);
absl::Status LateWaiter();
absl::Status SideInUse();
absl::Status Superseded();
absl::Status Conflict(uint64_t number);
// No bearer token, a wrong one, or one that is for something else.
absl::Status TokenRefused(TokenVerdict verdict, TokenUse use);
absl::Status TooManyWaiters(absl::Duration retry_delay);
absl::Status Busy(absl::Duration retry_delay);
// More than the relay lets one address, one app-id or all of them have.
absl::Status BeyondLimit(Refusal refusal, absl::Duration retry_delay);
absl::Status Draining(absl::Duration retry_delay);
absl::Status StoreAway(absl::Duration retry_delay);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_REFUSALS_H_
