// What came of the store's start: the store tells it, and main waits for it beside signals.
#ifndef WORMHOLE_RELAY_STORE_START_H_
#define WORMHOLE_RELAY_STORE_START_H_

#include "absl/status/status.h"
#include "proto/sync/mutex.h"

namespace wormhole::relay {

// Thread-safe. Ends the process when the system has no descriptor left for it.
class StoreStart {
 public:
  StoreStart();
  ~StoreStart();
  StoreStart(const StoreStart&) = delete;
  StoreStart& operator=(const StoreStart&) = delete;

  // As StoreHooks::on_started.
  void Note(const absl::Status& status) WORMHOLE_EXCLUDES(mutex_);

  // Can be read from once it is known.
  int fd() const { return fd_; }
  // What was noted; UNKNOWN before.
  absl::Status status() const WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    return status_;
  }

 private:
  const int fd_;
  mutable sync::Mutex mutex_;
  absl::Status status_ WORMHOLE_GUARDED_BY(mutex_) = absl::UnknownError("the store starts");
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_START_H_
