// The executor of a store that has no thread: one of the threads in Flush at a time carries out the
// calls of all, in order.
#ifndef WORMHOLE_RELAY_STORE_MEMORY_FLUSH_QUEUE_H_
#define WORMHOLE_RELAY_STORE_MEMORY_FLUSH_QUEUE_H_

#include <deque>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/sync/mutex.h"
#include "relay/store/answer_time.h"
#include "relay/store/store.h"

namespace wormhole::relay {

// Thread-safe. See QueuedStore.
class FlushQueue {
 public:
  FlushQueue() = default;
  FlushQueue(const FlushQueue&) = delete;
  FlushQueue& operator=(const FlushQueue&) = delete;
  // Answers with UNAVAILABLE what is left.
  ~FlushQueue();

  // Queues `work`, which returns a T or an absl::StatusOr<T>. Its answer follows it at once.
  template <typename T, typename Work>
  void Add(Work work, Store::Done<T> done, AnswerTime /*time*/) WORMHOLE_EXCLUDES(mutex_) {
    Call call = [work = std::move(work),
                 done = std::move(done)](const absl::Status& error) mutable {
      done(error.ok() ? absl::StatusOr<T>(work()) : absl::StatusOr<T>(error));
    };
    sync::MutexLock lock(mutex_);
    calls_.push_back(std::move(call));
  }

  void Flush() WORMHOLE_EXCLUDES(mutex_);

 private:
  // Carries a call out and answers it; given an error, it only answers.
  using Call = std::function<void(const absl::Status& error)>;

  // The next call for the thread that is in Flush; none: that thread is through.
  Call Next() WORMHOLE_EXCLUDES(mutex_);

  sync::Mutex mutex_;
  std::deque<Call> calls_ WORMHOLE_GUARDED_BY(mutex_);
  bool running_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_MEMORY_FLUSH_QUEUE_H_
