// The application's callbacks of one exchange: in order, one at a time, on the executor.
#ifndef WORMHOLE_CLIENT_ENGINE_CALLBACK_QUEUE_H_
#define WORMHOLE_CLIENT_ENGINE_CALLBACK_QUEUE_H_

#include <deque>
#include <functional>
#include <memory>

#include "client/engine/executor.h"
#include "proto/sync/mutex.h"

namespace wormhole {

// Held by shared_ptr: a callback may release it and drop the last other reference.
class CallbackQueue : public std::enable_shared_from_this<CallbackQueue> {
 public:
  // `executor` must live until Release.
  explicit CallbackQueue(Executor* executor) : executor_(executor) {}

  // Never runs `callback` inside the call. An empty one is ignored.
  void Post(std::function<void()> callback);

  // After it returns no callback starts. Destroys those that were waiting, and does not wait for
  // one that another thread has begun.
  void Release();

 private:
  void RunOne();

  Executor* const executor_;
  sync::Mutex mutex_;
  bool released_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool scheduled_ WORMHOLE_GUARDED_BY(mutex_) = false;  // RunOne is posted or running
  std::deque<std::function<void()>> waiting_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_ENGINE_CALLBACK_QUEUE_H_
