#ifndef WORMHOLE_CLIENT_STREAM_WAIT_GROUP_H_
#define WORMHOLE_CLIENT_STREAM_WAIT_GROUP_H_

#include <chrono>
#include <cstddef>
#include <memory>

#include "proto/sync/mutex.h"

namespace wormhole {

// Counts things that live, and waits until none does. Held by shared_ptr. Any thread.
class WaitGroup : public std::enable_shared_from_this<WaitGroup> {
 public:
  // A thing lives until the last copy of its token is destroyed.
  using Token = std::shared_ptr<const void>;
  Token Add();

  // How many live still at the deadline.
  size_t AwaitNone(std::chrono::steady_clock::time_point deadline);

 private:
  void Remove();

  sync::Mutex mutex_;
  sync::CondVar none_;
  size_t count_ WORMHOLE_GUARDED_BY(mutex_) = 0;
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_WAIT_GROUP_H_
