// Makes the typed errors of wormhole/outcome.h.
#ifndef WORMHOLE_CLIENT_CORE_FAILURE_H_
#define WORMHOLE_CLIENT_CORE_FAILURE_H_

#include <string_view>

#include "absl/status/status.h"
#include "wormhole/outcome.h"

namespace wormhole::core {

// The one with the highest number.
inline constexpr Reason kLastReason = Reason::kNotAuthorized;

// A status with its reason. `code` must not be kOk.
absl::Status Failure(Reason reason, absl::StatusCode code, std::string_view message);

// The same status with another reason attached.
absl::Status WithReason(absl::Status status, Reason reason);

// The same status with details, unless they are empty.
absl::Status WithDetails(absl::Status status, std::string_view details);

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_FAILURE_H_
