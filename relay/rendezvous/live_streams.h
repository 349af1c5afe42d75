// How many streams a service has, so that a drain knows when the last one is gone.
#ifndef WORMHOLE_RELAY_RENDEZVOUS_LIVE_STREAMS_H_
#define WORMHOLE_RELAY_RENDEZVOUS_LIVE_STREAMS_H_

#include <chrono>
#include <cstddef>

#include "proto/sync/mutex.h"

namespace wormhole::relay {

// Thread-safe. Shared by a service and its streams, so that the last stream may outlive the
// service.
class LiveStreams {
 public:
  void Enter() {
    sync::MutexLock lock(mutex_);
    ++count_;
  }

  void Leave() {
    sync::MutexLock lock(mutex_);
    if (--count_ == 0) none_.NotifyAll();
  }

  size_t count() const {
    sync::MutexLock lock(mutex_);
    return count_;
  }

  // Blocks until no stream is left. False when the deadline comes first.
  bool AwaitNone(std::chrono::steady_clock::time_point deadline) {
    sync::MutexLock lock(mutex_);
    while (count_ != 0) {
      if (!none_.WaitUntil(mutex_, deadline)) return count_ == 0;
    }
    return true;
  }

 private:
  mutable sync::Mutex mutex_;
  sync::CondVar none_;
  size_t count_ WORMHOLE_GUARDED_BY(mutex_) = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_RENDEZVOUS_LIVE_STREAMS_H_
