#include "client/cli/run.h"

#include <sys/prctl.h>

#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

TEST(RunTest, NoCoreDumpWillHoldSecrets) {
  ASSERT_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
  EXPECT_EQ(cli::Run({"--version"}), 0);
  EXPECT_EQ(prctl(PR_GET_DUMPABLE), 0);
}

}  // namespace
}  // namespace wormhole::cli
