#include "client/engine/executor.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/sync/mutex.h"

namespace wormhole {
namespace {

using std::chrono::milliseconds;

std::unique_ptr<Executor> MakeExecutor(int threads) {
  auto executor = Executor::Create(threads);
  EXPECT_TRUE(executor.ok()) << executor.status();
  return *std::move(executor);
}

// Counts up, and waits for a count.
class Counter {
 public:
  void Add() {
    sync::MutexLock lock(mutex_);
    ++count_;
    changed_.NotifyAll();
  }
  void Await(int count) {
    sync::MutexLock lock(mutex_);
    while (count_ < count) changed_.Wait(mutex_);
  }

 private:
  sync::Mutex mutex_;
  sync::CondVar changed_;
  int count_ WORMHOLE_GUARDED_BY(mutex_) = 0;
};

TEST(ExecutorTest, RunsTasksInOrderOnItsOwnThread) {
  const auto executor = MakeExecutor(1);
  std::vector<int> order;
  std::promise<void> done;
  EXPECT_FALSE(Executor::OnExecutorThread());
  for (int i = 0; i < 100; ++i) executor->Post([&order, i] { order.push_back(i); });
  executor->Post([&done] {
    EXPECT_TRUE(Executor::OnExecutorThread());
    done.set_value();
  });
  done.get_future().wait();
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[i], i);
}

TEST(ExecutorTest, TimersRunByTimeAndNotBefore) {
  const auto executor = MakeExecutor(1);
  const auto start = Executor::Clock::now();
  std::vector<int> order;
  std::promise<void> done;
  // Nothing runs before all of them are there.
  std::promise<void> gate;
  executor->Post([&gate] { gate.get_future().wait(); });
  executor->PostAt(start + milliseconds(30), [&] {
    EXPECT_GE(Executor::Clock::now(), start + milliseconds(30));
    order.push_back(3);
    done.set_value();
  });
  executor->PostAt(start + milliseconds(10), [&] { order.push_back(1); });
  executor->PostAt(start + milliseconds(20), [&] { order.push_back(2); });
  gate.set_value();
  done.get_future().wait();
  EXPECT_THAT(order, testing::ElementsAre(1, 2, 3));
}

TEST(ExecutorTest, ACancelledTimerDoesNotRun) {
  const auto executor = MakeExecutor(2);
  std::atomic<bool> ran = false;
  auto owned = std::make_shared<int>(0);
  const Executor::Timer timer = executor->PostAt(Executor::Clock::now() + std::chrono::hours(1),
                                                 [&ran, owned] { ran = true; });
  EXPECT_EQ(owned.use_count(), 2);
  executor->Cancel(timer);
  EXPECT_EQ(owned.use_count(), 1);
  executor->Cancel(timer);
  executor->Cancel(Executor::Timer());
  EXPECT_FALSE(ran);
}

// While one thread is busy, another must look after timers and tasks.
TEST(ExecutorTest, ABusyThreadHoldsUpNothing) {
  const auto executor = MakeExecutor(2);
  std::promise<void> release;
  const std::shared_future<void> released(release.get_future());
  std::promise<void> timer_ran;
  executor->PostAt(Executor::Clock::now() + milliseconds(20),
                   [&timer_ran] { timer_ran.set_value(); });
  executor->Post([released] { released.wait(); });
  timer_ran.get_future().wait();
  std::promise<void> task_ran;
  executor->Post([&task_ran] { task_ran.set_value(); });
  task_ran.get_future().wait();
  release.set_value();
}

TEST(ExecutorTest, ItsDestructorDoesNotWaitAndDropsWhatHasNotStarted) {
  auto executor = MakeExecutor(1);
  std::promise<void> release, started, finished;
  const std::shared_future<void> released(release.get_future());
  auto owned = std::make_shared<int>(0);
  std::atomic<bool> ran = false;
  executor->Post([&started, &finished, released] {
    started.set_value();
    released.wait();
    finished.set_value();
  });
  executor->Post([&ran, owned] { ran = true; });
  executor->PostAt(Executor::Clock::now() + std::chrono::hours(1), [owned] {});
  started.get_future().wait();
  executor = nullptr;
  EXPECT_EQ(owned.use_count(), 1);
  release.set_value();
  finished.get_future().wait();
  EXPECT_FALSE(ran);
}

TEST(ExecutorTest, MayBeDestroyedByItsOwnTask) {
  auto executor = MakeExecutor(2);
  std::promise<void> done;
  Executor* const raw = executor.get();
  raw->Post([executor = std::make_shared<std::unique_ptr<Executor>>(std::move(executor)), &done] {
    *executor = nullptr;
    done.set_value();
  });
  done.get_future().wait();
}

TEST(ExecutorTest, ManyThreadsPostArmAndCancel) {
  const auto executor = MakeExecutor(3);
  constexpr int kPosters = 4;
  constexpr int kRounds = 500;
  Counter ran;
  std::atomic<int> cancelled_ran = 0;
  std::vector<std::thread> posters;
  for (int p = 0; p < kPosters; ++p) {
    posters.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        executor->Post([&ran] { ran.Add(); });
        const auto later = Executor::Clock::now() + std::chrono::hours(1);
        const auto timer = executor->PostAt(later, [&] { ++cancelled_ran; });
        executor->PostAt(Executor::Clock::now() + std::chrono::microseconds(i), [&] { ran.Add(); });
        executor->Cancel(timer);
      }
    });
  }
  for (std::thread& poster : posters) poster.join();
  ran.Await(kPosters * kRounds * 2);
  EXPECT_EQ(cancelled_ran, 0);
}

}  // namespace
}  // namespace wormhole
