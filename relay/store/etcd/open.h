// The store as it is shipped: over gRPC, by the machine's clock.
#ifndef WORMHOLE_RELAY_STORE_ETCD_OPEN_H_
#define WORMHOLE_RELAY_STORE_ETCD_OPEN_H_

#include <memory>
#include <utility>

#include "relay/store/etcd/client.h"
#include "relay/store/etcd/etcd_store.h"
#include "relay/store/steady_now.h"

namespace wormhole::relay {

// See EtcdStore::Open.
inline std::unique_ptr<EtcdStore> OpenEtcd(EtcdOptions options) {
  auto client = std::make_unique<EtcdClient>(std::move(options.servers));
  return EtcdStore::Open(std::move(options), std::move(client), &SteadyNow);
}

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_OPEN_H_
