#include "client/stream/tally.h"

namespace wormhole {

Tally::Mark Tally::Add() {
  {
    sync::MutexLock lock(mutex_);
    ++count_;
  }
  // Without the lock: when there is no memory for it, it removes itself at once.
  return Mark(this, [self = shared_from_this()](const void*) { self->Remove(); });
}

void Tally::Remove() {
  sync::MutexLock lock(mutex_);
  if (--count_ == 0) none_.NotifyAll();
}

size_t Tally::AwaitNone(std::chrono::steady_clock::time_point deadline) {
  sync::MutexLock lock(mutex_);
  while (count_ > 0 && none_.WaitUntil(mutex_, deadline)) {
  }
  return count_;
}

}  // namespace wormhole
