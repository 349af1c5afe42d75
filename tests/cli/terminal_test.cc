// The tool as people use it: on a terminal.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fixture.h"

namespace wormhole::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class TerminalTest : public CliTest {};

TEST_F(TerminalTest, HostileBytesAreHarmless) {
  const std::string hostile =
      "\x1b]0;owned\a\x1b[2J\xe2\x80\xae"
      "evil\x9b"
      "31m\r\n";
  auto initiator = Start(WithRelay({"initiate"}), hostile);
  auto receiver = StartOnTerminal(WithRelay({"receive", CodeOf(*initiator), "--data", "b"}));
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->screen();
  EXPECT_THAT(receiver->screen(),
              HasSubstr("\\x1b]0;owned\\x07\\x1b[2J\\u{202e}evil\\x9b31m\\x0d\r\n"));
  for (const char* raw : {"\x1b]", "\x1b[2J", "\a", "\xe2\x80\xae", "\x9b"}) {
    EXPECT_THAT(receiver->screen(), Not(HasSubstr(raw)));
  }
  EXPECT_EQ(initiator->WaitForExit(), 0);
}

TEST_F(TerminalTest, TheCodeIsAskedForWithCompletion) {
  auto initiator = Start(WithRelay({"initiate", "--code", "3-sausage-zoo"}), "a");
  CodeOf(*initiator);
  auto receiver = StartOnTerminal(WithRelay({"receive"}));
  ASSERT_TRUE(receiver->WaitFor("Code of the other side")) << receiver->screen();
  receiver->Press("3\tsausx\r");
  ASSERT_TRUE(receiver->WaitFor("Code of the other side"));
  receiver->Press("3\tsaus\tzoo\r");
  ASSERT_TRUE(receiver->WaitFor("type what the other side shall get")) << receiver->screen();
  receiver->Press("typed\r\x04");
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->screen();
  EXPECT_EQ(initiator->WaitForExit(), 0) << initiator->err();
  EXPECT_EQ(initiator->out(), "typed\n");
  EXPECT_THAT(receiver->screen(), Not(HasSubstr("warning")));
}

TEST_F(TerminalTest, CtrlCAtTheQuestions) {
  auto receiver = StartOnTerminal(WithRelay({"receive"}));
  ASSERT_TRUE(receiver->WaitFor("Code of the other side")) << receiver->screen();
  receiver->Press("4-\x03");
  EXPECT_EQ(receiver->WaitForExit(), 8) << receiver->screen();
  auto initiator = StartOnTerminal(WithRelay({"initiate"}));
  ASSERT_TRUE(initiator->WaitFor("type what the other side shall get")) << initiator->screen();
  initiator->Press("\x03");
  EXPECT_EQ(initiator->WaitForExit(), 8) << initiator->screen();
}

// It would leave the terminal without echo.
TEST_F(TerminalTest, CtrlBackslashIsNoKeyOfTheCodeQuestion) {
  auto initiator = Start(WithRelay({"initiate"}), "a");
  const std::string code = CodeOf(*initiator);
  auto receiver = StartOnTerminal(WithRelay({"receive", "--data", "b"}));
  ASSERT_TRUE(receiver->WaitFor("Code of the other side")) << receiver->screen();
  receiver->Press("\x1c" + code + "\r");
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->screen();
  EXPECT_EQ(initiator->WaitForExit(), 0) << initiator->err();
}

TEST_F(TerminalTest, CtrlCWhileWaiting) {
  auto initiator = StartOnTerminal(WithRelay({"initiate", "--data", "a"}));
  ASSERT_FALSE(initiator->WaitForLine("Invitation code: ").empty()) << initiator->screen();
  initiator->Press("\x03");
  EXPECT_EQ(initiator->WaitForExit(), 8) << initiator->screen();
}

// In a line that stays, before anything else, and once.
TEST_F(TerminalTest, ARelayThatIsNotThereIsToldOf) {
  auto initiator = StartOnTerminal({"initiate", "--data", "a", "--rendezvous=127.0.0.1:1"});
  ASSERT_TRUE(initiator->WaitFor("127.0.0.1:1")) << initiator->screen();
  ASSERT_TRUE(initiator->WaitFor("trying again (Ctrl-C gives up)")) << initiator->screen();
  initiator->Press("\x03");
  EXPECT_EQ(initiator->WaitForExit(), 8) << initiator->screen();
}

TEST_F(TerminalTest, ProgressIsShownAndTakenAway) {
  auto initiator = StartOnTerminal(WithRelay({"initiate", "--data", "a"}));
  const std::string code = initiator->WaitForLine("Invitation code: ");
  ASSERT_TRUE(initiator->WaitFor("waiting")) << initiator->screen();
  auto receiver = Start(WithRelay({"receive", code}), "b");
  EXPECT_EQ(initiator->WaitForExit(), 0) << initiator->screen();
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->err();
  // The data stands on a line of its own.
  EXPECT_THAT(initiator->screen(),
              HasSubstr("\r\x1b[Kwormhole-sync: the other side says:\r\nb\r\n"));
}

TEST_F(TerminalTest, VerifierAccepted) {
  auto initiator = StartOnTerminal(WithRelay({"initiate", "--verify", "--data", "a"}));
  const std::string code = initiator->WaitForLine("Invitation code: ");
  auto receiver = StartOnTerminal(WithRelay({"receive", code, "--verify", "--data", "b"}));
  const std::string words = initiator->WaitForLine("Verifier: ");
  EXPECT_FALSE(words.empty()) << initiator->screen();
  EXPECT_EQ(receiver->WaitForLine("Verifier: "), words) << receiver->screen();
  ASSERT_TRUE(initiator->WaitFor("[yes/no]"));
  ASSERT_TRUE(receiver->WaitFor("[yes/no]"));
  initiator->Press("perhaps\r");
  ASSERT_TRUE(initiator->WaitFor("Please answer yes or no"));
  initiator->Press("yes\r");
  receiver->Press("YES\r");
  EXPECT_EQ(initiator->WaitForExit(), 0) << initiator->screen();
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->screen();
}

TEST_F(TerminalTest, VerifierRefused) {
  auto initiator = StartOnTerminal(WithRelay({"initiate", "--verify", "--data", "secret a"}));
  const std::string code = initiator->WaitForLine("Invitation code: ");
  auto receiver = Start(WithRelay({"receive", code}), "secret b");
  ASSERT_TRUE(initiator->WaitFor("[yes/no]")) << initiator->screen();
  initiator->Press("no\r");
  EXPECT_EQ(initiator->WaitForExit(), 8) << initiator->screen();
  EXPECT_EQ(receiver->WaitForExit(), 8) << receiver->err();
  EXPECT_EQ(receiver->out(), "");
  EXPECT_THAT(initiator->screen(), Not(HasSubstr("secret b")));
  EXPECT_THAT(initiator->screen(), HasSubstr("the verifier differs"));
}

// What was pasted together with the code was no answer to a question that nobody had seen.
TEST_F(TerminalTest, VerifierIsNotAcceptedByWhatWasTypedBefore) {
  auto initiator = Start(WithRelay({"initiate"}), "a");
  const std::string code = CodeOf(*initiator);
  auto receiver = StartOnTerminal(WithRelay({"receive", "--verify", "--data", "secret b"}));
  ASSERT_TRUE(receiver->WaitFor("Code of the other side")) << receiver->screen();
  receiver->Press(code + "\ryes\r");
  ASSERT_TRUE(receiver->WaitFor("[yes/no]")) << receiver->screen();
  receiver->Press("no\r");
  EXPECT_EQ(receiver->WaitForExit(), 8) << receiver->screen();
  EXPECT_EQ(initiator->WaitForExit(), 8) << initiator->err();
  EXPECT_EQ(initiator->out(), "");
}

TEST_F(TerminalTest, VerifyWithNobodyToAsk) {
  auto initiator = Start(WithRelay({"initiate", "--verify"}), "data");
  EXPECT_EQ(initiator->WaitForExit(), 2);
  EXPECT_THAT(initiator->err(), HasSubstr("no terminal for the question of --verify"));
}

}  // namespace
}  // namespace wormhole::testing
