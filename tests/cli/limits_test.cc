// The tool where the system gives it less than it needs.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fixture.h"

namespace wormhole::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// No relay's doing, and waiting does not mend it. In between, gRPC gets its threads, and no memory
// for a connection.
TEST(LimitsTest, MemoryAndThreadsThatTheSystemRefuses) {
  for (const char* kilobytes : {"60000", "90000", "120000", "160000"}) {
    const std::string shell = "ulimit -v " + std::string(kilobytes) +
                              "; exec \"$0\" initiate --timeout 7d --rendezvous 127.0.0.1:1";
    ChildProcess tool(
        {.arguments = {"/usr/bin/setsid", "/bin/sh", "-c", shell, ToolPath()}, .input = "a"});
    EXPECT_EQ(tool.WaitForExit(), 1) << kilobytes << ": " << tool.err();
    EXPECT_THAT(tool.err(), HasSubstr("raise the limit on")) << kilobytes;
    EXPECT_THAT(tool.err(), Not(HasSubstr("could not be reached"))) << kilobytes;
  }
}

}  // namespace
}  // namespace wormhole::testing
