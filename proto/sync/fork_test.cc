#include "proto/sync/fork.h"

#include <sys/wait.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace wormhole::sync {
namespace {

// What `status` a child ends with that runs `work`.
template <typename Work>
int InChild(Work work) {
  const pid_t child = fork();
  if (child == 0) _exit(work());
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ForkTest, CountsTheForksBetween) {
  EXPECT_EQ(ForkGeneration(), 0u);
  EXPECT_EQ(InChild([] { return static_cast<int>(ForkGeneration()); }), 1);
  EXPECT_EQ(InChild([] { return InChild([] { return static_cast<int>(ForkGeneration()); }); }), 2);
  EXPECT_EQ(ForkGeneration(), 0u);
}

}  // namespace
}  // namespace wormhole::sync
