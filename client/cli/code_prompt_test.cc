#include "client/cli/code_prompt.h"

#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "client/cli/testing/pseudo_terminal.h"
#include "client/cli/testing/screen_model.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {
namespace {

using ::testing::HasSubstr;

// Puts another file in the place of standard input, or of another standard file.
class Redirect {
 public:
  Redirect(int fd, int to) : fd_(fd), before_(dup(fd)) { dup2(to, fd); }
  ~Redirect() { dup2(before_.get(), fd_); }

 private:
  const int fd_;
  const FileDescriptor before_;
};

class CodePromptTest : public ::testing::Test {
 protected:
  CodePromptTest()
      : interrupt_(*Interrupt::Install()),
        input_(STDIN_FILENO, terminal_.program()),
        errors_(STDERR_FILENO, terminal_.program()) {}

  void Ask(bool allow_other_words = false) {
    asking_ = std::thread([this, allow_other_words] {
      answer_ = AskForCode(*Asker::ForCode(false), allow_other_words, Charset::kUtf8, interrupt_);
    });
  }

  absl::StatusOr<std::string> Answer() {
    asking_.join();
    return answer_;
  }

  PseudoTerminal terminal_;
  Interrupt interrupt_;
  Redirect input_;
  Redirect errors_;
  std::thread asking_;
  absl::StatusOr<std::string> answer_;
};

TEST_F(CodePromptTest, TabCompletesWords) {
  Ask();
  ASSERT_TRUE(terminal_.WaitFor("Code of the other side"));
  terminal_.Press("4\t");
  ASSERT_TRUE(terminal_.WaitFor("4-"));
  terminal_.Press("saus\t");
  ASSERT_TRUE(terminal_.WaitFor("4-sausage-"));
  terminal_.Press("zo\t");
  ASSERT_TRUE(terminal_.WaitFor("zone  zoo"));
  ASSERT_TRUE(terminal_.WaitFor("4-sausage-zo"));
  terminal_.Press("o\r");
  EXPECT_EQ(*Answer(), "4-sausage-zoo");
}

TEST_F(CodePromptTest, AMalformedCodeIsExplainedAndAskedForAgain) {
  Ask();
  ASSERT_TRUE(terminal_.WaitFor("Code of the other side"));
  terminal_.Press("4-sausage-zooo\r");
  ASSERT_TRUE(terminal_.WaitFor("zoo"));
  ASSERT_TRUE(terminal_.WaitFor("Code of the other side"));
  terminal_.Press("4-sausage-zoo\r");
  EXPECT_EQ(*Answer(), "4-sausage-zoo");
}

TEST_F(CodePromptTest, WhateverIsPastedIsReadByTheParserOfCodes) {
  for (const char* typed :
       {" 4 able zoo ", "4  able - zoo", "4\t-ab\tle-zoo", "\u201c4\u2011able\u2011zoo\u201d.",
        "Invitation code: 4-Able-zoo", "\ufeff04_able_zoo\u00a0", "\uff14\u3000able\u3000zoo"}) {
    Ask();
    ASSERT_TRUE(terminal_.WaitFor("Code of the other side"));
    terminal_.Press(std::string(typed) + "\r");
    EXPECT_EQ(*Answer(), "4-able-zoo") << typed;
  }
}

TEST_F(CodePromptTest, TabShowsWhatWasUnderstood) {
  Ask();
  ASSERT_TRUE(terminal_.WaitFor("Code of the other side"));
  terminal_.Press("\u201c4 \u2013 ab\t");
  ASSERT_TRUE(terminal_.WaitFor("abandon  ability"));
  ASSERT_TRUE(terminal_.WaitFor(": 4-ab"));
  terminal_.Press("le-zo\t");
  ASSERT_TRUE(terminal_.WaitFor("zone  zoo"));
  ASSERT_TRUE(terminal_.WaitFor(": 4-able-zo"));
  terminal_.Press("o\r");
  EXPECT_EQ(*Answer(), "4-able-zoo");
}

struct Screen {
  unsigned columns;
  const char* typed;
  const char* row;  // what is left of it
};

// Whatever is typed and deleted, however narrow the window: one row, drawn over.
TEST_F(CodePromptTest, TheLineStaysInItsRow) {
  const std::string eight = "4-abandon-abandon-abandon-abandon-abandon-abandon-abandon-abandon";
  const std::string deleted = eight + std::string(58, '\x7f');
  for (const Screen& screen : {
           Screen{40, "4-able-zoo", "Code: 4-able-zoo"},
           Screen{40, eight.c_str(), "Code: <-abandon-abandon-abandon-abandon"},
           Screen{80, "4-able-zoo", "Code of the other side (Tab completes words): 4-able-zoo"},
           Screen{
               80, eight.c_str(),
               "Code of the other side (Tab completes words): <-abandon-abandon-abandon-abandon"},
           Screen{200, eight.c_str(),
                  "Code of the other side (Tab completes words): "
                  "4-abandon-abandon-abandon-abandon-abandon-abandon-abandon-abandon"},
           Screen{40, deleted.c_str(), "Code: 4-aband"},
           Screen{20, "\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22",
                  "Code: <\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22"},
       }) {
    PseudoTerminal terminal;
    terminal.SetColumns(screen.columns);
    Redirect input(STDIN_FILENO, terminal.program());
    Redirect errors(STDERR_FILENO, terminal.program());
    Ask();
    ASSERT_TRUE(terminal.WaitFor("Code"));
    terminal.Press(screen.typed + std::string("\x04"));
    ASSERT_TRUE(terminal.WaitFor("\a"));  // that key means nothing here: all before it was read
    ScreenModel model(screen.columns);
    model.Write(terminal.output().substr(0, terminal.seen()));
    EXPECT_FALSE(model.confused());
    EXPECT_THAT(model.Rows(), ::testing::ElementsAre(screen.row)) << screen.typed;
    terminal.Press("\x15\x04");
    EXPECT_EQ(ReasonOf(Answer().status()), Reason::kCancelled);
  }
}

TEST_F(CodePromptTest, OtherWordsWhenTheyAreAllowed) {
  Ask(true);
  ASSERT_TRUE(terminal_.WaitFor("Code of the other side"));
  terminal_.Press("4-purple-sausages\r");
  EXPECT_EQ(*Answer(), "4-purple-sausages");
}

TEST_F(CodePromptTest, CtrlDAndSignalsGiveUp) {
  Ask();
  ASSERT_TRUE(terminal_.WaitFor("Code of the other side"));
  terminal_.Press("\x04");
  EXPECT_EQ(ReasonOf(Answer().status()), Reason::kCancelled);
  Ask();
  ASSERT_TRUE(terminal_.WaitFor("Code of the other side"));
  kill(getpid(), SIGINT);
  EXPECT_EQ(ReasonOf(Answer().status()), Reason::kCancelled);
}

TEST_F(CodePromptTest, TheTerminalIsLeftAsItWas) {
  termios before = {};
  ASSERT_EQ(tcgetattr(terminal_.program(), &before), 0);
  Ask();
  ASSERT_TRUE(terminal_.WaitFor("Code of the other side"));
  termios during = {};
  ASSERT_EQ(tcgetattr(terminal_.program(), &during), 0);
  EXPECT_EQ(during.c_lflag & (ICANON | ECHO), 0u);
  EXPECT_NE(during.c_lflag & ISIG, 0u);
  terminal_.Press("4-able-zoo\r");
  EXPECT_TRUE(Answer().ok());
  termios after = {};
  ASSERT_EQ(tcgetattr(terminal_.program(), &after), 0);
  EXPECT_EQ(after.c_lflag, before.c_lflag);
  EXPECT_EQ(after.c_iflag, before.c_iflag);
  EXPECT_EQ(after.c_cc[VSUSP], before.c_cc[VSUSP]);
}

class PipedCodeTest : public CodePromptTest {
 protected:
  PipedCodeTest() {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    writing_ = FileDescriptor(ends[1]);
  }
  absl::StatusOr<std::string> AskWith(std::string_view input) {
    EXPECT_EQ(write(writing_.get(), input.data(), input.size()),
              static_cast<ssize_t>(input.size()));
    writing_ = FileDescriptor();
    return AskForCode(*Asker::ForCode(false), false, Charset::kUtf8, interrupt_);
  }
  FileDescriptor writing_;
};

TEST_F(PipedCodeTest, TheFirstLineIsTheCodeAndTheRestIsLeftAlone) {
  EXPECT_EQ(*AskWith(" 4-Able-zoo \nrest"), "4-able-zoo");
  char rest[8];
  EXPECT_EQ(std::string(rest, static_cast<size_t>(read(STDIN_FILENO, rest, sizeof(rest)))), "rest");
}

TEST_F(PipedCodeTest, ALineThatEndsWithTheInput) {
  EXPECT_EQ(*AskWith("4-able-zoo"), "4-able-zoo");
}

TEST_F(PipedCodeTest, NoCode) {
  const absl::Status status = AskWith("").status();
  EXPECT_EQ(ReasonOf(status), Reason::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no code"));
}

TEST_F(PipedCodeTest, ABadOneIsRefusedAtOnce) {
  EXPECT_EQ(ReasonOf(AskWith("4-able-zoooo\n4-able-zoo\n").status()), Reason::kInvalidArgument);
}

TEST_F(PipedCodeTest, AnEndlessLineIsCut) {
  EXPECT_EQ(ReasonOf(AskWith(std::string(5000, 'a')).status()), Reason::kInvalidArgument);
}

}  // namespace
}  // namespace wormhole::cli
