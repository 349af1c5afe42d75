#include "proto/sync/threads.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/thread_count.h"

namespace wormhole::sync {
namespace {

using ::testing::ElementsAre;
using ::wormhole::testing::ThreadsOfThisProcess;
using Clock = std::chrono::steady_clock;

Clock::time_point Patience() { return Clock::now() + std::chrono::minutes(1); }

class Gate {
 public:
  void Await() {
    MutexLock lock(mutex_);
    while (!open_) changed_.Wait(mutex_);
  }
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.NotifyAll();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

TEST(ThreadsTest, AreGoneForTheSystemToo) {
  // ThreadSanitizer starts one of its own with the first.
  const auto first = std::make_shared<Threads>();
  ASSERT_TRUE(first->Start("first", [] {}));
  ASSERT_TRUE(first->AwaitGone(Patience()));
  const int before = ThreadsOfThisProcess();
  for (int round = 0; round < 50; ++round) {
    auto threads = std::make_shared<Threads>();
    std::atomic<int> worked = 0;
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(threads->Start("test", [&] { ++worked; }));
    ASSERT_TRUE(threads->AwaitGone(Patience()));
    ASSERT_EQ(worked, 5);
    ASSERT_EQ(ThreadsOfThisProcess(), before);
  }
}

TEST(ThreadsTest, ADeadlineFindsThoseThatWork) {
  auto threads = std::make_shared<Threads>();
  Gate gate;
  ASSERT_TRUE(threads->Start("long-work", [&] { gate.Await(); }));
  EXPECT_FALSE(threads->AwaitGone({}));
  EXPECT_FALSE(threads->AwaitGone(Clock::now() + std::chrono::milliseconds(1)));
  EXPECT_THAT(threads->names(), ElementsAre("long-work"));
  gate.Open();
  EXPECT_TRUE(threads->AwaitGone(Patience()));
  EXPECT_THAT(threads->names(), ElementsAre());
  EXPECT_TRUE(threads->AwaitGone({}));  // nothing to wait for
}

// What a thread_local of the application's does at the end of a thread.
class AtThreadEnd {
 public:
  ~AtThreadEnd() {
    if (gate_ != nullptr) gate_->Await();
  }
  void Await(Gate* gate) { gate_ = gate; }

 private:
  Gate* gate_ = nullptr;
};
thread_local AtThreadEnd at_thread_end;

TEST(ThreadsTest, ADeadlineHoldsAfterTheWork) {
  auto threads = std::make_shared<Threads>();
  Gate gate;
  ASSERT_TRUE(threads->Start("slow-end", [&] { at_thread_end.Await(&gate); }));
  EXPECT_FALSE(threads->AwaitGone(Clock::now() + std::chrono::milliseconds(20)));
  EXPECT_THAT(threads->names(), ElementsAre("slow-end"));
  Gate other;
  ASSERT_TRUE(threads->Start("another", [&] { other.Open(); }));  // waits for nobody, too
  other.Await();
  gate.Open();
  EXPECT_TRUE(threads->AwaitGone(Patience()));
}

TEST(ThreadsTest, HaveTheirNameAndTakeNoSignalsOfOthers) {
  auto threads = std::make_shared<Threads>();
  std::string name(16, '\0');
  sigset_t mask;
  ASSERT_TRUE(threads->Start("fifteen-letters", [&] {
    pthread_getname_np(pthread_self(), name.data(), name.size());
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  }));
  ASSERT_TRUE(threads->AwaitGone(Patience()));
  EXPECT_STREQ(name.c_str(), "fifteen-letters");
  for (const int others : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGALRM, SIGUSR1, SIGPIPE, SIGRTMAX}) {
    EXPECT_EQ(sigismember(&mask, others), 1) << others;
  }
  for (const int own : {SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF}) {
    EXPECT_EQ(sigismember(&mask, own), 0) << own;
  }
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGTERM), 0);  // this thread takes them as before
}

TEST(ThreadsTest, SeveralMayWaitAndTheGroupMayGoFirst) {
  auto threads = std::make_shared<Threads>();
  Gate gate;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(threads->Start("test", [&] { gate.Await(); }));
  std::vector<std::thread> waiters;
  std::atomic<int> gone = 0;
  for (int i = 0; i < 3; ++i) {
    waiters.emplace_back([threads, &gone] { gone += threads->AwaitGone(Patience()) ? 1 : 0; });
  }
  gate.Open();
  for (std::thread& waiter : waiters) waiter.join();
  EXPECT_EQ(gone, 3);
  auto others = std::make_shared<Threads>();
  auto held = std::make_shared<int>();
  const std::weak_ptr<int> work = held;
  ASSERT_TRUE(others->Start("test", [held = std::move(held)] {}));
  others.reset();
  while (!work.expired()) std::this_thread::yield();
}

// As a crash reporter has one.
TEST(ThreadsDeathTest, ACrashIsForTheHandlerOfTheApplication) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        signal(SIGSEGV, [](int) { _exit(42); });
        auto threads = std::make_shared<Threads>();
        (void)threads->Start("test", [] {
          const volatile uintptr_t nowhere = 8;
          *reinterpret_cast<volatile int*>(nowhere) = 1;
        });
        (void)threads->AwaitGone(Patience());
      },
      ::testing::ExitedWithCode(42), "");
}

TEST(ThreadsDeathTest, AnExceptionEndsTheProcess) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(
      {
        auto threads = std::make_shared<Threads>();
        (void)threads->Start("test", [] { throw 1; });
        (void)threads->AwaitGone(Patience());
      },
      "terminate called");
}

}  // namespace
}  // namespace wormhole::sync
