// Which streams a service has: a drain waits for the last one, and connections without one may be
// ended.
#ifndef WORMHOLE_RELAY_RENDEZVOUS_LIVE_STREAMS_H_
#define WORMHOLE_RELAY_RENDEZVOUS_LIVE_STREAMS_H_

#include <chrono>
#include <cstddef>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "proto/sync/mutex.h"

namespace wormhole::relay {

// Thread-safe. Shared by a service and its streams, so that the last stream may outlive the
// service.
class LiveStreams {
 public:
  // `peer`: the other end of the stream's connection, as gRPC writes it.
  void Enter(const std::string& peer) {
    sync::MutexLock lock(mutex_);
    ++count_;
    ++by_peer_[peer];
  }

  void Leave(const std::string& peer) {
    sync::MutexLock lock(mutex_);
    const auto found = by_peer_.find(peer);
    if (--found->second == 0) by_peer_.erase(found);
    if (--count_ == 0) none_.NotifyAll();
  }

  bool Has(const std::string& peer) const {
    sync::MutexLock lock(mutex_);
    return by_peer_.contains(peer);
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
  absl::flat_hash_map<std::string, size_t> by_peer_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_RENDEZVOUS_LIVE_STREAMS_H_
