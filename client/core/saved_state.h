// The saved form of an exchange (proto/PROTOCOL.md section 7).
#ifndef WORMHOLE_CLIENT_CORE_SAVED_STATE_H_
#define WORMHOLE_CLIENT_CORE_SAVED_STATE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/core/exchange_state.h"

namespace wormhole::core {

// Printable ASCII JSON, one line. A secret: it holds the token and the keys.
std::string SerializeState(const ExchangeState& state);

// The inverse. The input is hostile: this checks every field, and that the fields fit each other,
// so that it accepts only a state in which an exchange could be. INVALID_ARGUMENT, naming the field
// and no value; FAILED_PRECONDITION for a burnt state or a newer format; RESOURCE_EXHAUSTED when
// there is no memory for the secrets.
absl::StatusOr<ExchangeState> ParseState(std::string_view text);

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_SAVED_STATE_H_
