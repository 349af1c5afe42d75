// Whether the fields of a state fit each other.
#ifndef WORMHOLE_CLIENT_CORE_STATE_CHECK_H_
#define WORMHOLE_CLIENT_CORE_STATE_CHECK_H_

#include <string_view>

#include "client/core/exchange_state.h"

namespace wormhole::core {

// Empty when an exchange could be in this state; else the name, as saved, of a field that does not
// fit the others. What it accepts never crashes an exchange. It may still lead to a failure there:
// values that only the peer or the relay can judge (keys, tags, a token) are taken as they are.
std::string_view FindInconsistency(const ExchangeState& state);

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_STATE_CHECK_H_
