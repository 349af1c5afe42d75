#include "client/cli/console.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "client/cli/file_descriptor.h"
#include "client/cli/testing/pseudo_terminal.h"
#include "client/cli/testing/screen_model.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ConsoleTest : public ::testing::Test {
 protected:
  Interrupt interrupt_ = *Interrupt::Install();
};

TEST_F(ConsoleTest, WithoutATerminalThereIsNoProgressAndEachMessageIsOneLine) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  {
    Console console(ends[1], Charset::kUtf8, interrupt_);
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

TEST_F(ConsoleTest, OnATerminalTheStatusLineGivesWayToLines) {
  PseudoTerminal terminal;
  Console console(terminal.program(), Charset::kUtf8, interrupt_);
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

TEST_F(ConsoleTest, TheStatusLineIsCutToTheWidth) {
  PseudoTerminal terminal;
  terminal.SetColumns(11);
  Console console(terminal.program(), Charset::kUtf8, interrupt_);
  console.Progress("abc\u6f2267890123");
  console.Print("end");
  ASSERT_TRUE(terminal.WaitFor("end"));
  EXPECT_THAT(terminal.output(), HasSubstr("abc\u6f2267890\r"));
}

TEST_F(ConsoleTest, ANoteIsBrokenIntoRowsThatSayWhoseTheyAre) {
  PseudoTerminal terminal;
  terminal.SetColumns(41);
  Console console(terminal.program(), Charset::kAscii, interrupt_);
  console.Note("cannot read `" + std::string(30, ' ') + "wormhole-sync: all is well`, \u00db31m");
  console.NoteCommand("go on with", "wormhole-sync resume state");
  console.Print("end");
  ASSERT_TRUE(terminal.WaitFor("end"));
  ScreenModel screen(41);
  screen.Write(terminal.output());
  EXPECT_FALSE(screen.confused());
  EXPECT_THAT(screen.Rows(), ElementsAre("wormhole-sync: cannot read `",
                                         "  | " + std::string(17, ' ') + "wormhole-sync: all",
                                         "  | is well`, \\u{db}31m", "wormhole-sync: go on with:",
                                         "    wormhole-sync resume state", "end"));
}

// Fills a pipe that nobody reads.
FileDescriptor FullPipe(FileDescriptor& reading) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  reading = FileDescriptor(ends[0]);
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  const std::string filling(4096, 'x');
  while (write(ends[1], filling.data(), filling.size()) > 0) {
  }
  fcntl(ends[1], F_SETFL, 0);
  return FileDescriptor(ends[1]);
}

TEST_F(ConsoleTest, AReaderThatStandsStillIsWaitedForUntilTheDeadline) {
  FileDescriptor reading;
  const FileDescriptor full = FullPipe(reading);
  interrupt_.set_deadline(Interrupt::Clock::now() + std::chrono::milliseconds(1));
  Console console(full.get(), Charset::kUtf8, interrupt_);
  console.Note("lost");
  EXPECT_TRUE(interrupt_.expired());
}

TEST_F(ConsoleTest, ASignalEndsTheWaitForAReaderAndIsLeftForOthers) {
  FileDescriptor reading;
  const FileDescriptor full = FullPipe(reading);
  Console console(full.get(), Charset::kUtf8, interrupt_);
  kill(getpid(), SIGTERM);
  console.Note("lost");
  console.Note("lost");
  EXPECT_TRUE(interrupt_.Take());
  console.Note("not waited for any more");
}

// A terminal takes less at once than a pipe, and nobody may be held up inside write().
TEST_F(ConsoleTest, ATerminalThatNobodyReadsHoldsUpNothing) {
  PseudoTerminal terminal;
  interrupt_.set_deadline(Interrupt::Clock::now() + std::chrono::milliseconds(100));
  Console console(terminal.program(), Charset::kUtf8, interrupt_);
  for (int i = 0; i < 3000; ++i) console.Note(std::string(70, 'x'));
  EXPECT_TRUE(interrupt_.expired());
}

}  // namespace
}  // namespace wormhole::cli
