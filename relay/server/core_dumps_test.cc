#include "relay/server/core_dumps.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

TEST(CoreDumpsTest, NeitherAFileNorAProgramGetsOne) {
  ASSERT_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
  EXPECT_TRUE(ForbidCoreDumps().ok());
  rlimit limit = {.rlim_cur = 1, .rlim_max = 1};
  EXPECT_EQ(getrlimit(RLIMIT_CORE, &limit), 0);
  EXPECT_EQ(limit.rlim_cur, 0u);
  EXPECT_EQ(limit.rlim_max, 0u);
  EXPECT_EQ(prctl(PR_GET_DUMPABLE), 0);
}

}  // namespace
}  // namespace wormhole::relay
