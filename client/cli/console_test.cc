#include "client/cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <string>

#include "client/cli/pseudo_terminal.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ConsoleTest, WithoutATerminalThereIsNoProgressAndEachMessageIsOneLine) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  {
    Console console(ends[1]);
    EXPECT_FALSE(console.is_terminal());
    console.Progress("waiting");
    console.Print("Invitation code: 4-able-zoo");
    console.Note("two\nlines \x1b[31m");
    console.Warn("beware");
  }
  close(ends[1]);
  char text[4096];
  const ssize_t count = read(ends[0], text, sizeof(text));
  ASSERT_GT(count, 0);
  EXPECT_EQ(std::string(text, static_cast<size_t>(count)),
            "Invitation code: 4-able-zoo\n"
            "wormhole-sync: two\\nlines \\x1b[31m\n"
            "wormhole-sync: warning: beware\n");
  close(ends[0]);
}

TEST(ConsoleTest, OnATerminalTheStatusLineGivesWayToLines) {
  PseudoTerminal terminal;
  Console console(terminal.program());
  EXPECT_TRUE(console.is_terminal());
  console.Progress("waiting \x1b[2J");
  ASSERT_TRUE(terminal.WaitFor("waiting \\x1b[2J"));
  console.Note("news");
  ASSERT_TRUE(terminal.WaitFor("\r\x1b[Kwormhole-sync: news\r\nwaiting \\x1b[2J"));
  console.Progress("almost");
  ASSERT_TRUE(terminal.WaitFor("\r\x1b[Kalmost"));
  console.ClearProgress();
  ASSERT_TRUE(terminal.WaitFor("\r\x1b[K"));
  console.Note("more");
  ASSERT_TRUE(terminal.WaitFor("wormhole-sync: more\r\n"));
}

TEST(ConsoleTest, TheStatusLineIsCutToTheWidth) {
  PseudoTerminal terminal;
  winsize size = {};
  size.ws_col = 11;
  ASSERT_EQ(ioctl(terminal.program(), TIOCSWINSZ, &size), 0);
  Console console(terminal.program());
  console.Progress("ää34567890123");
  console.Print("end");
  ASSERT_TRUE(terminal.WaitFor("end"));
  EXPECT_THAT(terminal.output(), HasSubstr("ää34567890\r"));
}

}  // namespace
}  // namespace wormhole::cli
