// The leases under which channels are kept: one for all that end within the same minutes. Pure; one
// thread.
#ifndef WORMHOLE_RELAY_STORE_ETCD_LEASES_H_
#define WORMHOLE_RELAY_STORE_ETCD_LEASES_H_

#include <algorithm>
#include <cstdint>
#include <map>

#include "absl/time/time.h"

namespace wormhole::relay {

class EtcdLeases {
 public:
  // How long etcd keeps a channel whose time is over when no relay sees to it. Longer than relays
  // are away for, and than their clocks differ.
  static constexpr absl::Duration kGrace = absl::Hours(1);
  // Channels that end within so long of each other share a lease: a week of them has 1,008.
  static constexpr absl::Duration kSlot = absl::Minutes(10);

  // A lease for what is due at `due_at`, which is not in the past; 0: one has to be granted, for
  // TtlOf(due_at).
  int64_t Find(absl::Time due_at) const {
    const auto found = leases_.find(SlotOf(due_at));
    return found == leases_.end() ? 0 : found->second;
  }
  void Add(absl::Time due_at, int64_t lease) { leases_[SlotOf(due_at)] = lease; }
  // Never less than the grace: what is overdue is for a relay to see to.
  static absl::Duration TtlOf(absl::Time due_at, absl::Time now) {
    const absl::Time end = absl::UnixEpoch() + kSlot * SlotOf(due_at) + kSlot + kGrace;
    return std::max(end - now, kGrace);
  }

  // etcd has forgotten leases: all are granted again.
  void Clear() { leases_.clear(); }
  // Lets those go under which nothing should be written any more.
  void DropBefore(absl::Time now) {
    leases_.erase(leases_.begin(), leases_.lower_bound(SlotOf(now)));
  }

 private:
  static int64_t SlotOf(absl::Time due_at) {
    absl::Duration remainder;
    return absl::IDivDuration(due_at - absl::UnixEpoch(), kSlot, &remainder);
  }

  std::map<int64_t, int64_t> leases_;  // by slot
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_LEASES_H_
