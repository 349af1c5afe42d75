// From what the operator chose to a store that is open.
#ifndef WORMHOLE_RELAY_OPEN_STORE_H_
#define WORMHOLE_RELAY_OPEN_STORE_H_

#include <cstddef>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "relay/clock/clock.h"
#include "relay/config/config.h"
#include "relay/store/store.h"

namespace wormhole::relay {

// What a store tells of its work; SqliteOptions and EtcdOptions say when. The memory store never
// commits nor fails, and tells nothing.
struct StoreHooks {
  // Once, perhaps inside OpenStore: the store works; or why it never will, which etcd alone finds
  // out only later. Until then its calls are answered as if it were away.
  std::function<void(const absl::Status& status)> on_started;
  std::function<void(const absl::Status& status)> on_trouble;
  std::function<void()> on_restored;  // etcd alone
  std::function<void(absl::Duration took, size_t operations)> on_commit;
};

// Does not wait for an etcd that is away: see on_started. The stores' own errors;
// INVALID_ARGUMENT, naming flag and file, when a file for etcd cannot be used. The files are read
// once. `clock` outlives the store; see EtcdOptions.
absl::StatusOr<std::unique_ptr<Store>> OpenStore(const StoreChoice& choice, RelayClock* clock,
                                                 StoreHooks hooks);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_OPEN_STORE_H_
