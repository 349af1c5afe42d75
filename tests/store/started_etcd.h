// A store in etcd for tests whose etcd is there.
#ifndef WORMHOLE_TESTS_STORE_STARTED_ETCD_H_
#define WORMHOLE_TESTS_STORE_STARTED_ETCD_H_

#include <future>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "relay/store/etcd/etcd_store.h"
#include "relay/store/etcd/open.h"

namespace wormhole::relay {

// Blocks until the store works, with nobody to flush it; or why it never will.
inline absl::StatusOr<std::unique_ptr<EtcdStore>> OpenStarted(EtcdOptions options) {
  const auto started = std::make_shared<std::promise<absl::Status>>();
  options.on_started = [started](const absl::Status& status) { started->set_value(status); };
  std::unique_ptr<EtcdStore> store = OpenEtcd(std::move(options));
  const absl::Status status = started->get_future().get();
  if (!status.ok()) return status;
  return store;
}

}  // namespace wormhole::relay

#endif  // WORMHOLE_TESTS_STORE_STARTED_ETCD_H_
