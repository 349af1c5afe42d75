// Starts a store for tests that hear nothing of other relays.
#ifndef WORMHOLE_TESTS_STORE_START_STORE_H_
#define WORMHOLE_TESTS_STORE_START_STORE_H_

#include <functional>

#include "absl/status/status.h"
#include "relay/channel/record.h"
#include "relay/store/store.h"

namespace wormhole::relay {

// Calls `visit` for every channel that the store has, with whether it has ended; empty: nobody asks
// for them.
absl::Status StartStore(
    Store& store, const std::function<void(const ChannelKey&, IdState state)>& visit = nullptr);

}  // namespace wormhole::relay

#endif  // WORMHOLE_TESTS_STORE_START_STORE_H_
