// Keeps this relay's clock in step with the other relays' (clocks.h), and says when this relay has
// to tell them of its own.
#ifndef WORMHOLE_RELAY_STORE_ETCD_CLOCK_SYNC_H_
#define WORMHOLE_RELAY_STORE_ETCD_CLOCK_SYNC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "proto/sync/mutex.h"
#include "relay/clock/clock.h"
#include "relay/store/etcd/clocks.h"

namespace wormhole::relay {

// Thread-safe; it holds its lock while it calls `clock`, and nothing else.
class ClockSync {
 public:
  // What this relay tells, and under which lease.
  struct Update {
    ClockReport report;
    absl::Duration at;  // by the steady clock
    int64_t lease = 0;
  };

  // `own_key` is this relay's; each relay writes its own every `interval`.
  ClockSync(RelayClock* clock, std::string own_key, absl::Duration interval)
      : clock_(clock), interval_(interval), clocks_(std::move(own_key), interval) {}

  // What the watch brings: see GroupClocks.
  void TakeAll(const std::vector<ClockSighting>& all, bool restored) WORMHOLE_EXCLUDES(mutex_);
  void Take(const ClockSighting& one) WORMHOLE_EXCLUDES(mutex_);

  // Whether the relay's time is sure; see GroupClocks::on_loan.
  bool sure() WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    return !clocks_.on_loan();
  }

  // What to tell now, if it is time: every interval, and at once when the clock was set, or has
  // become right, or the lease is another one.
  std::optional<Update> Due(int64_t lease, absl::Duration now) WORMHOLE_EXCLUDES(mutex_);
  // etcd has it, or will never have it.
  void NoteTold(const Update& update) WORMHOLE_EXCLUDES(mutex_);

 private:
  void Follow(absl::Duration by) WORMHOLE_REQUIRES(mutex_);

  RelayClock* const clock_;
  const absl::Duration interval_;
  sync::Mutex mutex_;
  GroupClocks clocks_ WORMHOLE_GUARDED_BY(mutex_);
  std::optional<Update> told_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_CLOCK_SYNC_H_
