// The lease under which this relay tells the other relays where its sides are attached, and what
// its clock says. What it has told goes with the lease. Pure: the time comes in as a value, of a
// clock that never goes back. One thread.
#ifndef WORMHOLE_RELAY_STORE_ETCD_PRESENCE_LEASE_H_
#define WORMHOLE_RELAY_STORE_ETCD_PRESENCE_LEASE_H_

#include <cstdint>

#include "absl/time/time.h"

namespace wormhole::relay {

class PresenceLease {
 public:
  // The lease lasts for `ttl` after etcd has granted or renewed it.
  explicit PresenceLease(absl::Duration ttl) : ttl_(ttl) {}

  // 0: there is none.
  int64_t id() const { return id_; }
  // How often the lease is renewed, and what depends on it is told anew.
  absl::Duration interval() const { return ttl_ / 3; }
  // Whether the lease may have ended at etcd: a batch with a key under it would be refused whole.
  bool MayHaveEnded(absl::Duration now) const { return now - renewed_at_ >= ttl_; }

  // Whether to ask etcd for a lease now. True: the caller asks, and tells by Granted what came of
  // it; 0: nothing.
  bool TakeRequest(absl::Duration now) {
    if (id_ != 0 || asking_ || now - asked_at_ < kPause) return false;
    asking_ = true;
    asked_at_ = now;
    return true;
  }
  void Granted(int64_t id) {
    asking_ = false;
    if (id == 0) return;
    id_ = id;
    renewed_at_ = asked_at_;
  }

  // The lease to renew now; 0: none. The caller renews it, and tells by Renewed what came of it.
  int64_t TakeRenewal(absl::Duration now) {
    if (id_ == 0 || renewing_) return 0;
    if (now - renewed_at_ < interval() || now - renewal_tried_at_ < kPause) return 0;
    renewing_ = true;
    renewal_tried_at_ = now;
    return id_;
  }
  void Renewed(bool renewed) {
    renewing_ = false;
    if (renewed) renewed_at_ = renewal_tried_at_;
  }

  // etcd has the lease no more.
  void Lose() { id_ = 0; }

 private:
  // Between two attempts at what etcd does not do.
  static constexpr absl::Duration kPause = absl::Milliseconds(500);

  const absl::Duration ttl_;
  int64_t id_ = 0;
  bool asking_ = false;
  absl::Duration asked_at_ = -absl::InfiniteDuration();
  bool renewing_ = false;
  absl::Duration renewed_at_;
  absl::Duration renewal_tried_at_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_PRESENCE_LEASE_H_
