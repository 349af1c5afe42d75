#include "client/stream/wait_group.h"

namespace wormhole {

WaitGroup::Token WaitGroup::Add() {
  {
    sync::MutexLock lock(mutex_);
    ++count_;
  }
  // Without the lock: when there is no memory for it, it removes itself at once.
  return Token(this, [self = shared_from_this()](const void*) { self->Remove(); });
}

void WaitGroup::Remove() {
  sync::MutexLock lock(mutex_);
  if (--count_ == 0) none_.NotifyAll();
}

size_t WaitGroup::AwaitNone(std::chrono::steady_clock::time_point deadline) {
  sync::MutexLock lock(mutex_);
  while (count_ > 0 && none_.WaitUntil(mutex_, deadline)) {
  }
  return count_;
}

}  // namespace wormhole
