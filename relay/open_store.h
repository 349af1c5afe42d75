// From what the operator chose to a store that is open.
#ifndef WORMHOLE_RELAY_OPEN_STORE_H_
#define WORMHOLE_RELAY_OPEN_STORE_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "relay/config.h"
#include "relay/store/store.h"

namespace wormhole::relay {

// `on_trouble`: SqliteOptions and EtcdOptions say when it is called. The stores' own errors;
// INVALID_ARGUMENT, naming flag and file, when a file for etcd cannot be used. The files are read
// once.
absl::StatusOr<std::unique_ptr<Store>> OpenStore(
    const StoreChoice& choice, std::function<void(const absl::Status&)> on_trouble);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_OPEN_STORE_H_
