// What threads of a test tell each other.
#ifndef WORMHOLE_TESTS_SUPPORT_SIGNAL_H_
#define WORMHOLE_TESTS_SUPPORT_SIGNAL_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proto/sync/mutex.h"

namespace wormhole::testing {

// Counts up, and waits for a count.
class Signal {
 public:
  void Notify() {
    sync::MutexLock lock(mutex_);
    ++count_;
    changed_.NotifyAll();
  }
  void Await(int count = 1) {
    sync::MutexLock lock(mutex_);
    while (count_ < count) changed_.Wait(mutex_);
  }
  int count() const {
    sync::MutexLock lock(mutex_);
    return count_;
  }

 private:
  mutable sync::Mutex mutex_;
  sync::CondVar changed_;
  int count_ WORMHOLE_GUARDED_BY(mutex_) = 0;
};

// Collects values.
template <typename T>
class Collector {
 public:
  void Add(T value) {
    sync::MutexLock lock(mutex_);
    values_.push_back(std::move(value));
    changed_.NotifyAll();
  }
  std::vector<T> Await(size_t count) {
    sync::MutexLock lock(mutex_);
    while (values_.size() < count) changed_.Wait(mutex_);
    return values_;
  }
  std::vector<T> values() const {
    sync::MutexLock lock(mutex_);
    return values_;
  }

 private:
  mutable sync::Mutex mutex_;
  sync::CondVar changed_;
  std::vector<T> values_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_SUPPORT_SIGNAL_H_
