// Whether the store works, as the last word of its trouble report has it.
#ifndef WORMHOLE_RELAY_STORE_HEALTH_H_
#define WORMHOLE_RELAY_STORE_HEALTH_H_

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/sync/mutex.h"

namespace wormhole::relay {

// Thread-safe.
class StoreHealth {
 public:
  struct State {
    absl::Status status;  // OK while it works
    absl::Time since;     // of the last change between the two; the start, if there was none
  };

  explicit StoreHealth(absl::Time now) { state_.since = now; }

  // See SqliteOptions::on_trouble.
  void Note(const absl::Status& status, absl::Time now) WORMHOLE_EXCLUDES(mutex_) {
    std::function<void(bool)> tell;
    {
      sync::MutexLock lock(mutex_);
      if (status.ok() != state_.status.ok()) {
        state_.since = now;
        tell = on_change_;
      }
      state_.status = status;
    }
    if (tell) tell(status.ok());
  }

  State state() const WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    return state_;
  }

  // Called with whether it works now, without locks, on the thread of Note; a call that has begun
  // may run on after this has returned.
  void OnChange(std::function<void(bool works)> on_change) WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    on_change_ = std::move(on_change);
  }

 private:
  mutable sync::Mutex mutex_;
  State state_ WORMHOLE_GUARDED_BY(mutex_);
  std::function<void(bool)> on_change_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_HEALTH_H_
