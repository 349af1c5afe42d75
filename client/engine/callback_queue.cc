#include "client/engine/callback_queue.h"

#include <optional>
#include <utility>

namespace wormhole {

void CallbackQueue::Post(std::function<void()> callback) {
  if (callback == nullptr) return;
  sync::MutexLock lock(mutex_);
  if (released_) return;
  waiting_.push_back(std::move(callback));
  if (scheduled_) return;
  scheduled_ = true;
  executor_->Post([self = shared_from_this()] { self->RunOne(); });
}

// Uses the executor only under the lock, and not after Release: the executor may be gone then.
void CallbackQueue::RunOne() {
  std::function<void()> callback;
  std::optional<Executor::ApplicationCode> application_code;
  {
    sync::MutexLock lock(mutex_);
    if (released_) return;
    callback = std::move(waiting_.front());
    waiting_.pop_front();
    application_code.emplace(*executor_);
  }
  callback();
  callback = nullptr;  // destroys what it owns without the lock, too
  application_code.reset();
  sync::MutexLock lock(mutex_);
  scheduled_ = !released_ && !waiting_.empty();
  if (scheduled_) executor_->Post([self = shared_from_this()] { self->RunOne(); });
}

void CallbackQueue::Release() {
  std::deque<std::function<void()>> dropped;  // outlives the lock
  sync::MutexLock lock(mutex_);
  released_ = true;
  dropped.swap(waiting_);
}

}  // namespace wormhole
