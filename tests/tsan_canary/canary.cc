// Races planted on purpose, one by name, to see that ThreadSanitizer is awake: `canary counter`.
#include <cstdio>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "proto/sync/mutex.h"

namespace {

// The kind of mistake that is looked for: one of two threads forgets the lock.
class Counter {
 public:
  void Add() {
    wormhole::sync::MutexLock lock(mutex_);
    ++count_;
  }
  void AddForgettingTheLock() WORMHOLE_NO_THREAD_SAFETY_ANALYSIS { ++count_; }
  int count() {
    wormhole::sync::MutexLock lock(mutex_);
    return count_;
  }

 private:
  wormhole::sync::Mutex mutex_;
  int count_ WORMHOLE_GUARDED_BY(mutex_) = 0;
};

int CountInTwoThreads(bool forget) {
  Counter counter;
  std::thread other([&counter] { counter.Add(); });
  if (forget) {
    counter.AddForgettingTheLock();
  } else {
    counter.Add();
  }
  other.join();
  return counter.count() > 0 ? 0 : 1;
}

// What the suppression of Abseil's reference counts must not hide: a status that two threads read
// and write without a lock.
int ShareAStatus() {
  absl::Status status;
  std::thread other([&status] { status = absl::InvalidArgumentError("one"); });
  const bool ok = status.ok();
  other.join();
  return ok || !status.ok() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view race = argc == 2 ? argv[1] : "";
  if (race == "none") return CountInTwoThreads(/*forget=*/false);
  if (race == "counter") return CountInTwoThreads(/*forget=*/true);
  if (race == "status") return ShareAStatus();
  std::fprintf(stderr, "usage: canary none|counter|status\n");
  return 2;
}
