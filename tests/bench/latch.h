// Waits for callbacks of gRPC's threads.
#ifndef WORMHOLE_TESTS_BENCH_LATCH_H_
#define WORMHOLE_TESTS_BENCH_LATCH_H_

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace wormhole::bench {

// Counts down from `count`. Used through a shared_ptr or from a frame that outlives the callbacks.
class Latch {
 public:
  explicit Latch(int count) : count_(count) {}

  void CountDown() {
    const std::scoped_lock lock(mutex_);
    if (--count_ == 0) changed_.notify_all();
  }

  // Ends the process when nothing comes for a minute: a number that was not measured is worse.
  void Wait(const char* what) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, std::chrono::minutes(1), [this] { return count_ <= 0; })) return;
    std::fprintf(stderr, "bench: waited a minute for %s\n", what);
    std::exit(EXIT_FAILURE);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_;
};

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_LATCH_H_
