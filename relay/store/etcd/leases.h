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

  // Both clocks: what is due is told by one that people set, what etcd counts by none of them.
  struct Now {
    absl::Time wall;
    absl::Duration steady;
  };

  // A lease for what is due at `due_at`; 0: one has to be granted, for TtlOf(due_at). A lease that
  // was granted before the clock was set back, and ends too soon now, is none.
  int64_t Find(absl::Time due_at, const Now& now) const {
    const auto found = leases_.find(SlotOf(std::max(due_at, now.wall)));
    if (found == leases_.end()) return 0;
    const bool lasts = found->second.ends >= now.steady + (due_at - now.wall) + kGrace / 2;
    return lasts ? found->second.lease : 0;
  }
  // Granted for TtlOf(due_at, asked).
  void Add(absl::Time due_at, int64_t lease, const Now& asked) {
    leases_[SlotOf(std::max(due_at, asked.wall))] = {.lease = lease,
                                                     .ends = asked.steady + TtlOf(due_at, asked)};
  }
  // Never less than the grace: what is overdue is for a relay to see to.
  static absl::Duration TtlOf(absl::Time due_at, const Now& now) {
    const absl::Time end = absl::UnixEpoch() + kSlot * SlotOf(due_at) + kSlot + kGrace;
    return std::max(end - now.wall, kGrace + kSlot);
  }

  // etcd has forgotten leases: all are granted again.
  void Clear() { leases_.clear(); }
  // Lets those go under which nothing should be written any more.
  void DropEnded(const Now& now) {
    std::erase_if(
        leases_, [&now](const auto& entry) { return entry.second.ends < now.steady + kGrace / 2; });
  }

 private:
  struct Lease {
    int64_t lease = 0;
    absl::Duration ends;  // by the steady clock
  };

  static int64_t SlotOf(absl::Time due_at) {
    absl::Duration remainder;
    return absl::IDivDuration(due_at - absl::UnixEpoch(), kSlot, &remainder);
  }

  std::map<int64_t, Lease> leases_;  // by slot
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_LEASES_H_
