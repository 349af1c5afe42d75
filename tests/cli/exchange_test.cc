// Data gets through as it is, and nothing else stands on standard output.
#include <signal.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fixture.h"

namespace wormhole::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class ExchangeTest : public CliTest {};

std::string AllBytes(size_t size, int step) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * static_cast<size_t>(step) >> 3);
  return bytes;
}

TEST_F(ExchangeTest, LargestBinaryDataThroughPipes) {
  const std::string a = AllBytes(65000, 8);
  const std::string b = AllBytes(65000, 7);
  auto initiator = Start(WithRelay({"initiate"}), a);
  const std::string code = CodeOf(*initiator);
  EXPECT_THAT(code, MatchesRegex("[1-9]-[a-z]+-[a-z]+"));
  auto receiver = Start(WithRelay({"receive", code}), b);
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->err();
  EXPECT_EQ(initiator->WaitForExit(), 0) << initiator->err();
  EXPECT_TRUE(receiver->out() == a);
  EXPECT_TRUE(initiator->out() == b);
}

TEST_F(ExchangeTest, EmptyDataAndFiles) {
  const std::string file = MakeFile("data", "from a file\n");
  auto initiator = Start(WithRelay({"initiate", "--file", file, "--words", "4"}));
  const std::string code = CodeOf(*initiator);
  EXPECT_THAT(code, MatchesRegex("[1-9](-[a-z]+){4}"));
  auto receiver = Start(WithRelay({"receive", code, "--data", ""}));
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->err();
  EXPECT_EQ(initiator->WaitForExit(), 0) << initiator->err();
  EXPECT_EQ(receiver->out(), "from a file\n");
  EXPECT_EQ(initiator->out(), "");
  EXPECT_THAT(receiver->err(), HasSubstr("warning: other users of this machine can see a code"));
  EXPECT_THAT(receiver->err(), HasSubstr("can see --data"));
  EXPECT_THAT(initiator->err(), Not(HasSubstr("warning")));
}

TEST_F(ExchangeTest, TheMessageOfTheDayIsHarmless) {
  auto initiator = Start(WithRelay({"initiate"}));
  ASSERT_TRUE(initiator->WaitFor(ChildProcess::kErr, "The relay says: be\\u{202e} kind\n"));
  EXPECT_THAT(initiator->err(), Not(HasSubstr("\u202e")));
}

TEST_F(ExchangeTest, TheCodeFromStandardInput) {
  const std::string data = MakeFile("data", "b");
  auto initiator = Start(WithRelay({"initiate"}), "a");
  const std::string code = CodeOf(*initiator);
  auto receiver = Start(WithRelay({"receive", "--file", data}), code + "\n");
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->err();
  EXPECT_EQ(initiator->WaitForExit(), 0);
  EXPECT_EQ(receiver->out(), "a");
  EXPECT_THAT(receiver->err(), Not(HasSubstr("warning")));
}

TEST_F(ExchangeTest, AReceiverThatComesFirst) {
  const std::string code = "7-able-zoo";
  auto receiver = StartOnTerminal(WithRelay({"receive", code, "--wait", "--data", "b"}));
  ASSERT_TRUE(receiver->WaitFor("waiting")) << receiver->screen();
  auto initiator = Start(WithRelay({"initiate", "--code", code}), "a");
  EXPECT_EQ(CodeOf(*initiator), code);
  EXPECT_EQ(initiator->WaitForExit(), 0) << initiator->err();
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->screen();
  EXPECT_EQ(initiator->out(), "b");
}

TEST_F(ExchangeTest, CheckInModeAndASchedule) {
  const Words mode = {"--check-in", "--schedule", "0:0.2,60:1", "--timeout", "1m"};
  Words initiate = {"initiate"};
  initiate.insert(initiate.end(), mode.begin(), mode.end());
  auto initiator = Start(WithRelay(initiate), "a");
  Words receive = {"receive", CodeOf(*initiator)};
  receive.insert(receive.end(), mode.begin(), mode.end());
  auto receiver = Start(WithRelay(receive), "b");
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->err();
  EXPECT_EQ(initiator->WaitForExit(), 0) << initiator->err();
  EXPECT_EQ(receiver->out() + initiator->out(), "ab");
}

TEST_F(ExchangeTest, QrCodeBelowTheCode) {
  auto initiator = Start(WithRelay({"initiate", "--qr"}));
  CodeOf(*initiator);
  ASSERT_TRUE(initiator->WaitFor(ChildProcess::kErr, "\u2588\u2588\u2588\u2588"));
  EXPECT_THAT(initiator->err(), Not(HasSubstr("\x1b")));  // no terminal, no colours
  initiator->Signal(SIGINT);
  EXPECT_EQ(initiator->WaitForExit(), 8) << initiator->err();
  EXPECT_EQ(initiator->out(), "");
}

TEST_F(ExchangeTest, WithoutTheQrLibraryOneLineSaysWhatToInstall) {
  MakeFile("libqrencode.so.4", "no library");
  ChildProcess initiator(
      {.arguments = {ToolPath(), "initiate", "--qr", "--data=a", "--rendezvous=" + address()},
       .environment = {{"LD_LIBRARY_PATH", PathOf("")}}});
  const std::string code = CodeOf(initiator);
  ASSERT_TRUE(initiator.WaitFor(ChildProcess::kErr, "wormhole-sync: warning: install libqrencode"))
      << initiator.err();
  auto receiver = Start(WithRelay({"receive", code, "--data=b"}));
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->err();
  EXPECT_EQ(initiator.WaitForExit(), 0) << initiator.err();
  EXPECT_EQ(initiator.out(), "b");
  EXPECT_THAT(initiator.err(), Not(HasSubstr("\u2588")));
}

TEST_F(ExchangeTest, AFullStandardOutputIsAnError) {
  auto initiator = Start(WithRelay({"initiate"}), "a");
  const std::string code = CodeOf(*initiator);
  const std::string data = MakeFile("data", "b");
  ChildProcess receiver(
      {.arguments = {"/bin/sh", "-c", "exec \"$0\" \"$@\" >/dev/full", ToolPath(), "receive", code,
                     "--file", data, "--rendezvous=" + address()}});
  EXPECT_EQ(receiver.WaitForExit(), 1) << receiver.err();
  EXPECT_THAT(receiver.err(), HasSubstr("cannot write the other side's data"));
}

TEST_F(ExchangeTest, HelpAndVersion) {
  for (const Words& words : {Words{"--help"}, Words{"--version"}, Words{"initiate", "--help"},
                             Words{"receive", "--help"}, Words{"resume", "--help"}}) {
    auto tool = Start(words);
    EXPECT_EQ(tool->WaitForExit(), 0);
    EXPECT_THAT(tool->out(), HasSubstr("wormhole-sync"));
    EXPECT_EQ(tool->err(), "");
  }
}

}  // namespace
}  // namespace wormhole::testing
