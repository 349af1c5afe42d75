// Each exit code of the tool, for the reason that it stands for.
#include <signal.h>
#include <sys/stat.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fixture.h"

namespace wormhole::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class ExitCodeTest : public CliTest {
 protected:
  // The last line on standard error, which must be an explanation.
  static std::string Explanation(const ChildProcess& tool) {
    const std::string& text = tool.err();
    EXPECT_FALSE(text.empty() || text.back() != '\n') << text;
    if (text.size() < 2) return text;
    const size_t before = text.rfind('\n', text.size() - 2);
    return text.substr(before == std::string::npos ? 0 : before + 1);
  }
};

struct Failure {
  Words words;
  std::string message;  // stands in the explanation, with what to do
  std::string input = "";
};

// Every way to fail before the first connection, but for what arguments_test and start_test have:
// options one by one, and descriptors that are closed or never end. Those of the connection itself
// are in client/stream.
TEST_F(ExitCodeTest, WrongUsageBeforeAnyTraffic) {
  const std::string open_file = MakeFile("open", "x");
  const std::string large = MakeFile("large", std::string(65001, 'x'));
  const std::string exists = MakeFile("exists", "precious");
  const std::string corrupt = MakeFile("corrupt", "wormhole-sync state 1\n{\"role\":");
  const std::string foreign = MakeFile("foreign", "#!/bin/sh\n");
  const std::string shared = MakeFile("shared", "wormhole-sync state 1\n");
  chmod(shared.c_str(), 0644);
  const std::string empty = MakeFile("empty", "");
  const std::string two_lines = MakeFile("two_lines", "a\nb\n");
  const std::string folder = PathOf("");
  const Failure cases[] = {
      // The command line.
      {{}, "Use initiate, receive or resume"},
      {{"frobnicate"}, "use initiate, receive or resume"},
      {{"initiate", "--frob"}, "see `wormhole-sync initiate --help`"},
      {{"initiate", "--app-id", std::string(256, 'a')}, "use at most 255"},
      {{"initiate", "--schedule", "60:1,0:1"}, "--schedule: "},
      // Codes.
      {{"receive", "4-purple"}, "a code looks like 4-purity-sausage"},
      {{"receive", "4-ablex-zoo"}, "did you mean"},
      {{"receive", "purple-able"}, "a code looks like"},
      {{"receive", "\xff"}, "is not valid UTF-8"},
      {{"initiate", "--code", "0 able zoo"}, "begin with its number, which is 1 or more"},
      {{"receive", "--data", "x"}, "standard input has no code; write it as the first line"},
      {{"receive", "--data", "x"}, "a code looks like", "4-able\n"},
      {{"receive"}, "there is no terminal to ask for the code"},
      // Data.
      {{"initiate"},
       "standard input has more than 65000 bytes; send less",
       std::string(65001, 'x')},
      {{"initiate", "--file", large}, "has more than 65000 bytes; send less"},
      {{"initiate", "--file", "/nonexistent"}, "cannot read --file /nonexistent: No such file"},
      {{"initiate", "--file", folder}, "is a folder; name a file"},
      {{"initiate", "--data", std::string(65001, 'x')}, "send a file's name or a key instead"},
      // State files.
      {{"initiate", "--data", "x", "--state", exists}, "exists"},
      {{"initiate", "--data", "x", "--state", "/nonexistent/state"}, "/nonexistent"},
      {{"resume", corrupt}, "corrupt"},
      {{"resume", foreign}, "it is no state file of this version of wormhole-sync"},
      {{"resume", shared}, "`chmod 600` it first"},
      {{"resume", folder}, ""},
      {{"resume", "/nonexistent"}, "/nonexistent"},
      // Credentials.
      {{"initiate", "--data", "x", "--bearer-token-file", "/nonexistent"},
       "cannot read --bearer-token-file /nonexistent: No such file"},
      {{"initiate", "--data", "x", "--bearer-token-file", empty}, "it has to hold the token"},
      {{"initiate", "--data", "x", "--bearer-token-file", two_lines}, "a token in one line"},
      {{"initiate", "--data", "x", "--tls-ca", open_file}, "--tls-ca " + open_file},
      {{"initiate", "--data", "x", "--tls-ca", "tests/support/tls/relay.key"}, "relay.key"},
      {{"initiate", "--data", "x", "--tls-cert", "tests/support/tls/client.pem", "--tls-key",
        "tests/support/tls/relay.key"},
       "relay.key"},
      {{"initiate", "--data", "x", "--tls-ca", folder}, "is a folder; name a file"},
      {{"initiate", "--data", "x", "--rendezvous", "relay.example.com:443", "--plaintext",
        "--bearer-token-file", open_file},
       ""},
      // The terminal.
      {{"initiate", "--data", "x", "--verify", "--code", "4-able-zoo", "--file", "y"},
       "--data and --file exclude each other"},
      {{"initiate", "--verify"}, "there is no terminal for the question of --verify"},
      // The relay's name.
      {{"initiate", "--data", "x", "--rendezvous", "https://relay.example.com"},
       "relay.example.com"},
      {{"initiate", "--data", "x", "--rendezvous", "[::]:47180"}, "[::]"},
      {{"initiate", "--data", "x", "--rendezvous", "a b"}, "the relay address has white space"},
  };
  for (const Failure& row : cases) {
    auto tool = Start(row.words, row.input);
    const std::string words = ::testing::PrintToString(row.words);
    EXPECT_EQ(tool->WaitForExit(), 2) << words << tool->err();
    EXPECT_EQ(tool->out(), "");
    // One line, but for warnings.
    EXPECT_THAT(Explanation(*tool), AllOf(MatchesRegex("wormhole-sync: .*\n"),
                                          Not(HasSubstr("warning")), HasSubstr(row.message)))
        << words;
  }
  EXPECT_EQ(FileContent("exists"), "precious");
  EXPECT_EQ(FileContent("foreign"), "#!/bin/sh\n");
}

TEST_F(ExitCodeTest, WrongCode) {
  auto initiator = Start(WithRelay({"initiate"}), "secret a");
  auto receiver = Start(WithRelay({"receive", WrongCode(CodeOf(*initiator))}), "secret b");
  EXPECT_EQ(receiver->WaitForExit(), 3) << receiver->err();
  EXPECT_EQ(initiator->WaitForExit(), 3) << initiator->err();
  EXPECT_EQ(receiver->out() + initiator->out(), "");
  EXPECT_THAT(Explanation(*receiver), HasSubstr("begin again with a new code"));
}

TEST_F(ExitCodeTest, TimedOut) {
  // Long enough for the relay to answer on a busy machine: else it would be unreachable.
  auto initiator = Start(WithRelay({"initiate", "--timeout", "10s"}));
  EXPECT_EQ(initiator->WaitForExit(), 4) << initiator->err();
  EXPECT_THAT(Explanation(*initiator), HasSubstr("--timeout"));
}

TEST_F(ExitCodeTest, NoRelay) {
  auto initiator = Start({"initiate", "--timeout", "10s", "--rendezvous", "127.0.0.1:1"});
  EXPECT_EQ(initiator->WaitForExit(), 5) << initiator->err();
  EXPECT_THAT(Explanation(*initiator), HasSubstr("127.0.0.1:1"));
}

// Long before the timeout.
TEST_F(ExitCodeTest, NoRelayIsToldOfAtTheFirstFailure) {
  auto initiator = Start({"initiate", "--timeout", "1h", "--rendezvous", "127.0.0.1:1"});
  EXPECT_TRUE(initiator->WaitFor(ChildProcess::kErr, "wormhole-sync: start a relay there"))
      << initiator->err();
  initiator->Signal(SIGTERM);
  EXPECT_EQ(initiator->WaitForExit(), 8) << initiator->err();
}

// One line in our words; whoever wants gRPC's asks for them.
TEST_F(ExitCodeTest, TheLibrariesWordsAreForWhoAsks) {
  const Words words = {"initiate", "--timeout", "10s", "--rendezvous", "127.0.0.1:1"};
  auto quiet = Start(words);
  EXPECT_EQ(quiet->WaitForExit(), 5) << quiet->err();
  EXPECT_THAT(quiet->err(), Not(HasSubstr("Connection refused")));
  Words more = words;
  more.push_back("--verbose");
  auto verbose = Start(more);
  EXPECT_EQ(verbose->WaitForExit(), 5) << verbose->err();
  EXPECT_THAT(verbose->err(), HasSubstr("wormhole-sync: details: "));
  EXPECT_THAT(verbose->err(), HasSubstr("Connection refused"));
}

// Each try has a connection of its own that is thrown away.
TEST_F(ExitCodeTest, ManyTriesDoNoHarm) {
  auto initiator =
      Start({"initiate", "--timeout", "5s", "--schedule", "0:0.01", "--rendezvous", "127.0.0.1:1"});
  EXPECT_EQ(initiator->WaitForExit(), 5) << initiator->err();
  // Told of once, and at the end.
  EXPECT_THAT(initiator->err(),
              MatchesRegex("wormhole-sync: start a relay [^\n]*\nwormhole-sync: [^\n]*\n"));
}

TEST_F(ExitCodeTest, TheThirdWhoCame) {
  auto initiator = StartOpen(WithRelay({"initiate", "--verify", "--data", "a"}));
  const std::string code = CodeOf(*initiator);
  auto receiver = StartOpen(WithRelay({"receive", code, "--verify", "--data", "b"}));
  ASSERT_TRUE(initiator->WaitFor(ChildProcess::kErr, "[yes/no]")) << initiator->err();
  ASSERT_TRUE(receiver->WaitFor(ChildProcess::kErr, "[yes/no]")) << receiver->err();
  auto third = Start(WithRelay({"receive", code}), "c");
  EXPECT_EQ(third->WaitForExit(), 6) << third->err();
  EXPECT_THAT(Explanation(*third), HasSubstr("somebody else used this code"));
  // Members see a warning and go on.
  EXPECT_TRUE(initiator->WaitFor(ChildProcess::kErr, "warning: somebody else"));
  EXPECT_TRUE(receiver->WaitFor(ChildProcess::kErr, "warning: somebody else"));
  initiator->WriteInput("yes\n");
  receiver->WriteInput("yes\n");
  EXPECT_EQ(initiator->WaitForExit(), 0) << initiator->err();
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->err();
  EXPECT_EQ(initiator->out() + receiver->out(), "ba");
}

TEST_F(ExitCodeTest, TheIdIsTaken) {
  auto first = Start(WithRelay({"initiate", "--code", "5-able-zoo"}));
  CodeOf(*first);
  auto second = Start(WithRelay({"initiate", "--code", "5-zoo-able"}));
  EXPECT_EQ(second->WaitForExit(), 6) << second->err();
}

TEST_F(ExitCodeTest, NoSuchCode) {
  auto receiver = Start(WithRelay({"receive", "9-able-zoo"}));
  EXPECT_EQ(receiver->WaitForExit(), 7) << receiver->err();
  EXPECT_THAT(Explanation(*receiver), HasSubstr("--app-id"));
  // One that was given up.
  auto initiator = Start(WithRelay({"initiate"}));
  const std::string code = CodeOf(*initiator);
  initiator->Signal(SIGINT);
  EXPECT_EQ(initiator->WaitForExit(), 8) << initiator->err();
  auto late = Start(WithRelay({"receive", code}));
  EXPECT_EQ(late->WaitForExit(), 7) << late->err();
}

TEST_F(ExitCodeTest, AnotherAppIdIsAnotherWorld) {
  auto initiator = Start(WithRelay({"initiate", "--app-id", "example.com/a"}));
  auto receiver = Start(WithRelay({"receive", CodeOf(*initiator), "--app-id", "example.com/b"}));
  EXPECT_EQ(receiver->WaitForExit(), 7) << receiver->err();
}

TEST_F(ExitCodeTest, ThePeerGaveUp) {
  auto initiator = StartOpen(WithRelay({"initiate", "--verify", "--data", "a"}));
  auto receiver = StartOpen(WithRelay({"receive", CodeOf(*initiator), "--verify", "--data", "b"}));
  ASSERT_TRUE(initiator->WaitFor(ChildProcess::kErr, "[yes/no]")) << initiator->err();
  ASSERT_TRUE(receiver->WaitFor(ChildProcess::kErr, "[yes/no]")) << receiver->err();
  initiator->Signal(SIGTERM);
  EXPECT_EQ(initiator->WaitForExit(), 8) << initiator->err();
  EXPECT_THAT(Explanation(*initiator), HasSubstr("giving up and telling the other side"));
  EXPECT_EQ(receiver->WaitForExit(), 8) << receiver->err();
  EXPECT_THAT(Explanation(*receiver), MatchesRegex(".*the other side of .* gave up; .*\n"));
  EXPECT_EQ(initiator->out() + receiver->out(), "");
}

}  // namespace
}  // namespace wormhole::testing
