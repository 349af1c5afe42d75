#include "proto/sync/mutex.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace wormhole::sync {
namespace {

using std::chrono::steady_clock;

class Counter {
 public:
  void Add(int n) WORMHOLE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    total_ += n;
    changed_.NotifyAll();
  }

  int AwaitAtLeast(int n) WORMHOLE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (total_ < n) changed_.Wait(mutex_);
    return total_;
  }

  bool AwaitAtLeastUntil(int n, steady_clock::time_point deadline) WORMHOLE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (total_ < n) {
      if (!changed_.WaitUntil(mutex_, deadline)) return total_ >= n;
    }
    return true;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int total_ WORMHOLE_GUARDED_BY(mutex_) = 0;
};

TEST(MutexTest, KeepsThreadsApart) {
  constexpr int kThreads = 4;
  constexpr int kAdds = 5000;
  Counter counter;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&counter] {
      for (int j = 0; j < kAdds; ++j) counter.Add(1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.AwaitAtLeast(0), kThreads * kAdds);
}

TEST(MutexTest, TryLockFailsWhileAnotherThreadHoldsIt) {
  Mutex mutex;
  const auto taken_elsewhere = [&mutex] {
    bool taken = false;
    std::thread([&mutex, &taken] {
      if (mutex.TryLock()) {
        taken = true;
        mutex.Unlock();
      }
    }).join();
    return taken;
  };
  {
    MutexLock lock(mutex);
    EXPECT_FALSE(taken_elsewhere());
  }
  EXPECT_TRUE(taken_elsewhere());
}

TEST(CondVarTest, WaitWakesUpWhenNotified) {
  Counter counter;
  std::thread adder([&counter] {
    for (int i = 0; i < 3; ++i) counter.Add(1);
  });
  EXPECT_EQ(counter.AwaitAtLeast(3), 3);
  adder.join();
}

TEST(CondVarTest, WaitUntilWakesUpWhenNotified) {
  Counter counter;
  std::thread adder([&counter] { counter.Add(1); });
  EXPECT_TRUE(counter.AwaitAtLeastUntil(1, steady_clock::now() + std::chrono::hours(1)));
  adder.join();
}

TEST(CondVarTest, WaitUntilEndsAtADeadlineInThePast) {
  Counter counter;
  EXPECT_FALSE(counter.AwaitAtLeastUntil(1, steady_clock::now() - std::chrono::seconds(1)));
}

TEST(CondVarTest, MutexIsHeldAgainAfterADeadline) {
  Mutex mutex;
  CondVar condition;
  MutexLock lock(mutex);
  EXPECT_FALSE(condition.WaitUntil(mutex, steady_clock::now()));
  bool taken = false;
  std::thread([&mutex, &taken] {
    if (mutex.TryLock()) {
      taken = true;
      mutex.Unlock();
    }
  }).join();
  EXPECT_FALSE(taken);
}

}  // namespace
}  // namespace wormhole::sync
