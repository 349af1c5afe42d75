// The calls of etcd's v3 API that the relay makes.
#ifndef WORMHOLE_RELAY_STORE_ETCD_API_H_
#define WORMHOLE_RELAY_STORE_ETCD_API_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "etcd_rpc.pb.h"

namespace wormhole::relay {

// Nothing is tried again here: after an error nothing is known of a transaction's effect, which may
// also come later, and the caller looks. UNAUTHENTICATED is what etcd says of the name and the
// password.
//
// Thread-safe. `done` and `on_...` run on a thread of the implementation's, inside the call only
// after Stop.
class EtcdApi {
 public:
  template <typename Response>
  using Done = std::function<void(absl::StatusOr<Response>)>;
  // False: it is enough, and the watch ends.
  using OnWatched = std::function<bool(const etcdserverpb::WatchResponse&)>;
  using OnEnd = std::function<void(const absl::Status&)>;

  virtual ~EtcdApi() = default;

  // How many servers there are: after a failure the next one is used.
  virtual size_t endpoints() const = 0;

  // Cancels what is under way and waits until all its callbacks have returned. Calls made later are
  // answered CANCELLED. Not to be called from a callback.
  virtual void Stop() = 0;

  // The caller may go on to use the request, for what its answer means.
  virtual void Txn(std::shared_ptr<const etcdserverpb::TxnRequest> request,
                   Done<etcdserverpb::TxnResponse> done) = 0;
  virtual void Range(etcdserverpb::RangeRequest request,
                     Done<etcdserverpb::RangeResponse> done) = 0;
  virtual void Grant(int64_t ttl_seconds, Done<etcdserverpb::LeaseGrantResponse> done) = 0;
  virtual void Revoke(int64_t lease, Done<etcdserverpb::LeaseRevokeResponse> done) = 0;
  // Renews a lease once. NOT_FOUND when it is gone.
  virtual void KeepAlive(int64_t lease, Done<etcdserverpb::LeaseKeepAliveResponse> done) = 0;
  // `on_response` runs for each answer, in order; `on_end` once, when the watch is over. A watch
  // ends when the endpoint has lost its leader.
  virtual void Watch(etcdserverpb::WatchCreateRequest request, OnWatched on_response,
                     OnEnd on_end) = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_API_H_
