// Every end of a process, in the midst of everything, is quiet and at once; and after Shutdown a
// leak checker finds nothing.

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/child_process.h"
#include "tests/support/mute.h"
#include "tests/support/relay_process.h"

namespace wormhole::testing {
namespace {

constexpr char kProgram[] = "tests/client/ends";
constexpr const char* kEnds[] = {"return", "exit", "exit_elsewhere", "quick_exit", "_exit"};

class EndsTest : public ::testing::Test {
 protected:
  static std::string Relay() {
    static RelayProcess relay({"--listen=127.0.0.1:0", "--store=memory"});
    static const std::string address = relay.AwaitListening();
    return address;
  }

  // Whatever the end, and several times, since threads race with it.
  static void ExpectQuietEnds(const std::string& situation, const std::string& relay,
                              std::vector<std::pair<std::string, std::string>> environment = {}) {
    for (const char* end : kEnds) {
      for (int round = 0; round < 3; ++round) {
        ChildProcess program({.arguments = {kProgram, situation, end, relay},
                              .environment = environment,
                              .input = ""});
        EXPECT_EQ(program.WaitForExit(), 0) << situation << " " << end << ": " << program.err();
        EXPECT_EQ(program.err(), "") << situation << " " << end;
      }
    }
  }

  // What valgrind says of the program, which it runs in a machine of its own.
  static std::string LeaksOf(const std::string& situation, const std::string& end, int* exit) {
    ChildProcess program(
        {.arguments = {"/usr/bin/valgrind", "--quiet", "--leak-check=full",
                       "--show-leak-kinds=definite,indirect,possible",
                       "--errors-for-leak-kinds=definite,indirect,possible", "--error-exitcode=99",
                       "--num-callers=30", "--suppressions=tests/client/valgrind.supp", kProgram,
                       situation, end, Relay()},
         .input = ""});
    *exit = program.WaitForExit();
    return program.err();
  }
};

TEST_F(EndsTest, WithAnExchangeUnderWay) { ExpectQuietEnds("under_way", Relay()); }

TEST_F(EndsTest, WithAnExchangeThatIsDone) { ExpectQuietEnds("done", Relay()); }

TEST_F(EndsTest, WithHandlesOfStaticStorage) { ExpectQuietEnds("static", Relay()); }

TEST_F(EndsTest, WithACallbackUnderWay) { ExpectQuietEnds("callback", Relay()); }

TEST_F(EndsTest, WithARelayThatSaysNothing) { ExpectQuietEnds("unanswered", Mute().address()); }

// A name, since proxies are for others than this machine.
TEST_F(EndsTest, WithAProxyThatSaysNothing) {
  const Mute proxy;
  ExpectQuietEnds("unanswered", "relay.example:1", {{"http_proxy", "http://" + proxy.address()}});
}

// A port that nobody listens on.
TEST_F(EndsTest, WithoutARelay) {
  std::string address;
  {
    const Mute gone;
    address = gone.address();
  }
  ExpectQuietEnds("unanswered", address);
}

TEST_F(EndsTest, AfterShutdownNothingIsLost) {
  for (const char* situation : {"done", "under_way", "static"}) {
    int exit = 0;
    const std::string leaks = LeaksOf(situation, "shutdown", &exit);
    EXPECT_EQ(exit, 0) << leaks;
    EXPECT_EQ(leaks, "");
  }
}

// Else the test above might pass because it sees nothing.
TEST_F(EndsTest, WithoutShutdownValgrindFindsWhatIsLeft) {
  int exit = 0;
  const std::string leaks = LeaksOf("under_way", "return", &exit);
  EXPECT_EQ(exit, 99);
  EXPECT_THAT(leaks, ::testing::HasSubstr("possibly lost"));
}

}  // namespace
}  // namespace wormhole::testing
