#include "client/pake/sodium_start.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>

#include "client/pake/secret_bytes.h"
#include "gtest/gtest.h"

// The lock of libsodium, which its headers do not show.
extern "C" int sodium_crit_enter(void);
extern "C" int sodium_crit_leave(void);

namespace wormhole::pake {
namespace {

// How a child ends that exits with what `work` returns, or is killed when it hangs.
template <typename Work>
int InChild(Work work) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(30);
    _exit(work());
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// Whether the thread waits in the kernel.
bool Sleeps(pid_t thread) {
  std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string number;
  std::string name;
  std::string state;
  stat >> number >> name >> state;
  return state == "S";
}

// In this order, since libsodium starts once.
TEST(SodiumStartTest, AChildForkedDuringTheFirstStartDoesNotWait) {
  ASSERT_EQ(sodium_crit_enter(), 0);
  std::atomic<pid_t> id = 0;
  std::atomic<bool> started = false;
  std::thread starter([&] {
    id = gettid();
    started = StartSodium() == SodiumStart::kStarted;
  });
  while (id == 0 || !Sleeps(id)) std::this_thread::yield();
  EXPECT_EQ(InChild([] { return StartSodium() == SodiumStart::kForkedMeanwhile ? 0 : 1; }), 0);
  EXPECT_EQ(InChild([] { return SecretBytes::Create(10).ok() ? 1 : 0; }), 0);
  ASSERT_EQ(sodium_crit_leave(), 0);
  starter.join();
  EXPECT_TRUE(started);
}

TEST(SodiumStartTest, NobodyWaitsOnceItHasStarted) {
  ASSERT_EQ(StartSodium(), SodiumStart::kStarted);
  ASSERT_EQ(sodium_crit_enter(), 0);
  EXPECT_EQ(InChild([] { return StartSodium() == SodiumStart::kStarted ? 0 : 1; }), 0);
  EXPECT_EQ(InChild([] { return SecretBytes::Create(10).ok() ? 0 : 1; }), 0);
  ASSERT_EQ(sodium_crit_leave(), 0);
}

}  // namespace
}  // namespace wormhole::pake
