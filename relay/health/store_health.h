// The store's health as last reported.
#ifndef WORMHOLE_RELAY_HEALTH_STORE_HEALTH_H_
#define WORMHOLE_RELAY_HEALTH_STORE_HEALTH_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/sync/mutex.h"
#include "relay/health/throttle.h"

namespace wormhole::relay {

// Thread-safe.
class StoreHealth {
 public:
  struct State {
    absl::Status status;  // OK while the store works
    absl::Time since;     // when it last began to fail, or to work; at first the relay's start
  };

  explicit StoreHealth(absl::Time now) { state_.since = now; }

  // The log has one line of failures within this time, and the next one has the latest reason.
  static constexpr absl::Duration kInterval = Throttle::kInterval;

  // What the store's TroubleReport tells. True if the log should have a line of it: a store that
  // fails, or fails now and then, would flood the log.
  bool Note(const absl::Status& status, absl::Time now) WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    if (status.ok() != state_.status.ok()) state_.since = now;
    state_.status = status;
    if (status.ok()) return std::exchange(told_, false);
    const bool tell = failures_.Note(now).has_value();
    told_ = told_ || tell;
    return tell;
  }

  State state() const WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    return state_;
  }

 private:
  mutable sync::Mutex mutex_;
  State state_ WORMHOLE_GUARDED_BY(mutex_);
  bool told_ WORMHOLE_GUARDED_BY(mutex_) = false;  // the log has the failure, and not yet its end
  Throttle failures_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_HEALTH_STORE_HEALTH_H_
