// What comes before an exchange: input that is closed or never ends, and readers that stand still.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fixture.h"

namespace wormhole::testing {
namespace {

using ::testing::HasSubstr;

class StartTest : public CliTest {
 protected:
  // The tool by a shell that does `redirections` first, without a terminal.
  std::unique_ptr<ChildProcess> StartWith(const std::string& redirections, const Words& words) {
    Words arguments = {"/usr/bin/setsid", "/bin/sh", "-c", "exec \"$0\" \"$@\" " + redirections,
                       ToolPath()};
    arguments.insert(arguments.end(), words.begin(), words.end());
    return std::make_unique<ChildProcess>(ChildProcess::Options{.arguments = arguments});
  }
};

struct Case {
  const char* redirections;
  Words words;
  const char* message;
};

TEST_F(StartTest, ClosedDescriptorsAreRefusedBeforeAnythingIsSent) {
  for (const Case& c : {
           Case{"<&-", {"initiate"}, "standard input is closed; use --data or --file"},
           Case{"<&-", {"receive", "4-able-zoo"}, "standard input is closed"},
           Case{"<&-",
                {"receive", "--data", "b"},
                "cannot read the code from standard input: it is closed"},
           Case{">&-", {"initiate", "--data", "a"}, "standard output is closed"},
           Case{">&-", {"receive", "4-able-zoo", "--data", "b"}, "standard output is closed"},
           Case{">&-", {"resume", "nowhere"}, "standard output is closed"},
           Case{"2>&-", {"initiate", "--data", "a"}, ""},
           Case{"<&- >&- 2>&-", {"initiate", "--data", "a"}, ""},
       }) {
    auto tool = StartWith(c.redirections, WithRelay(c.words));
    EXPECT_EQ(tool->WaitForExit(), 2) << c.redirections << tool->err();
    EXPECT_THAT(tool->err(), HasSubstr(c.message));
    EXPECT_EQ(tool->out(), "");
  }
}

TEST_F(StartTest, WhatIsNotNeededMayBeClosed) {
  auto initiator = StartWith("<&-", WithRelay({"initiate", "--data", "a"}));
  const std::string code = CodeOf(*initiator);
  auto receiver = StartWith("<&- 2>&-", WithRelay({"receive", code, "--data", "b"}));
  EXPECT_EQ(initiator->WaitForExit(), 0) << initiator->err();
  EXPECT_EQ(receiver->WaitForExit(), 0);
  EXPECT_EQ(initiator->out(), "b");
  EXPECT_EQ(receiver->out(), "a");
}

TEST_F(StartTest, TheRelayServesWithClosedDescriptors) {
  RelayProcess relay({.flags = {"--listen=127.0.0.1:0", "--store=memory"},
                      .runner = {"/bin/sh", "-c", "exec \"$0\" \"$@\" <&- 2>&-"}});
  const std::string address = relay.AwaitListening();
  ASSERT_FALSE(address.empty());
  auto initiator = Start({"initiate", "--data=a", "--rendezvous", address});
  auto receiver = Start({"receive", CodeOf(*initiator), "--data=b", "--rendezvous", address});
  EXPECT_EQ(initiator->WaitForExit(), 0) << initiator->err();
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->err();
}

// Each of these waits for somebody who never comes.
class WaitingTest : public StartTest {
 protected:
  WaitingTest() { EXPECT_EQ(mkfifo(PathOf("fifo").c_str(), 0600), 0); }
  std::vector<Words> Waiting() const {
    return {{"initiate"},
            {"receive", "4-able-zoo"},
            {"receive", "--data", "b"},
            {"initiate", "--file", PathOf("fifo")},
            {"initiate", "--data", "a", "--tls-ca", PathOf("fifo")},
            {"initiate", "--data", "a", "--bearer-token-file", PathOf("fifo")}};
  }
};

TEST_F(WaitingTest, TheTimeoutCountsFromTheStart) {
  for (Words words : Waiting()) {
    words.push_back("--timeout=300ms");
    auto tool = StartOpen(WithRelay(words));
    EXPECT_EQ(tool->WaitForExit(), 4) << ::testing::PrintToString(words) << tool->err();
    EXPECT_THAT(tool->err(), HasSubstr("nothing was sent (see --timeout)"));
  }
  auto prompt = StartOnTerminal(WithRelay({"receive", "--timeout=300ms"}));
  EXPECT_EQ(prompt->WaitForExit(), 4) << prompt->screen();
}

TEST_F(WaitingTest, SignalsEndIt) {
  for (const Words& words : Waiting()) {
    auto tool = StartOpen(WithRelay(words));
    tool->Signal(SIGTERM);
    const int code = tool->WaitForExit();
    // Before main has begun the system ends it.
    EXPECT_TRUE(code == 8 || code == 128 + SIGTERM) << code << tool->err();
  }
}

// The exchange has what is left of the time.
TEST_F(WaitingTest, OneTimeoutForAll) {
  auto initiator = Start(WithRelay({"initiate", "--timeout=1h", "--state", PathOf("state")}), "a");
  CodeOf(*initiator);
  const std::string state = FileContent("state");
  const std::string key = "\"timeout_us\":";
  const size_t at = state.find(key);
  ASSERT_NE(at, std::string::npos);
  EXPECT_LT(std::stoll(state.substr(at + key.size())), 3'600'000'000);
}

// A standard error that nobody reads, full from the beginning.
class FullErrorTest : public StartTest {
 protected:
  static constexpr int kNumber = 9;  // inherited by the child

  FullErrorTest() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reading_ = ends[0];
    EXPECT_EQ(dup2(ends[1], kNumber), kNumber);
    close(ends[1]);
    fcntl(kNumber, F_SETFL, O_NONBLOCK);
    const std::string filling(4096, 'x');
    while (write(kNumber, filling.data(), filling.size()) > 0) {
    }
    fcntl(kNumber, F_SETFL, 0);
  }
  ~FullErrorTest() override {
    close(reading_);
    close(kNumber);
  }

  std::unique_ptr<ChildProcess> StartFull(const Words& words) {
    return StartWith("2>&9 9>&- </dev/null", words);
  }

  int reading_ = -1;
};

TEST_F(FullErrorTest, TheTimeoutEndsIt) {
  for (const Words& words : {Words{"initiate", "--code", "4-able-zoo"}, Words{"initiate"},
                             Words{"receive", "4-able-zoo", "--wait"}}) {
    Words timed = WithRelay(words);
    timed.push_back("--timeout=5s");  // or a busy relay would be unreachable
    EXPECT_EQ(StartFull(timed)->WaitForExit(), 4) << ::testing::PrintToString(words);
  }
}

TEST_F(FullErrorTest, SignalsEndIt) {
  for (const Words& words : {Words{"initiate", "--code", "4-able-zoo"}, Words{"frobnicate"}}) {
    auto tool = StartFull(WithRelay(words));
    tool->Signal(SIGTERM);
    const int code = tool->WaitForExit();
    EXPECT_TRUE(code == 8 || code == 2 || code == 128 + SIGTERM) << code;
  }
}

}  // namespace
}  // namespace wormhole::testing
