#include "tests/support/child_process.h"

#include <signal.h>

#include "gtest/gtest.h"

namespace wormhole::testing {
namespace {

TEST(ChildProcessTest, CollectsOutputAndExitCode) {
  ChildProcess child({.arguments = {"/bin/sh", "-c", "cat; echo to err >&2; echo $NAME; exit 7"},
                      .environment = {{"NAME", "value"}},
                      .input = "typed\n"});
  EXPECT_EQ(child.WaitForLine(ChildProcess::kErr, "to "), "err");
  EXPECT_EQ(child.WaitForExit(), 7);
  EXPECT_EQ(child.out(), "typed\nvalue\n");
  EXPECT_FALSE(child.running());
}

TEST(ChildProcessTest, WaitingForWhatNeverComesEndsWithTheProcess) {
  ChildProcess child({.arguments = {"/bin/echo", "something else"}});
  EXPECT_FALSE(child.WaitFor(ChildProcess::kOut, "never"));
  EXPECT_EQ(child.WaitForExit(), 0);
}

TEST(ChildProcessTest, SignalsAndInteractiveInput) {
  ChildProcess child({.arguments = {"/bin/cat"}, .close_input = false});
  child.WriteInput("one\n");
  EXPECT_TRUE(child.WaitFor(ChildProcess::kOut, "one"));
  child.WriteInput("two\n");
  EXPECT_TRUE(child.WaitFor(ChildProcess::kOut, "two"));
  child.Signal(SIGKILL);
  EXPECT_EQ(child.WaitForExit(), 128 + SIGKILL);
}

TEST(ChildProcessTest, AProgramThatIsNotThere) {
  ChildProcess child({.arguments = {"/nonexistent/program"}});
  EXPECT_EQ(child.WaitForExit(), 127);
}

}  // namespace
}  // namespace wormhole::testing
