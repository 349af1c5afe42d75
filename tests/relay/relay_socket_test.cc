// A relay on a socket in the file system, as a sidecar has it.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/child_process.h"
#include "tests/support/relay_process.h"
#include "tests/support/temp_folder.h"

namespace wormhole::service_test {
namespace {

using ::testing::HasSubstr;
using testing::RelayProcess;

class RelaySocketTest : public ::testing::Test {
 protected:
  std::string Path() const { return folder_.File("relay.sock"); }
  std::string Listen() const { return "--listen=unix:" + Path(); }

  testing::ChildProcess Tool(std::vector<std::string> words) {
    words.insert(words.begin(), {"/usr/bin/setsid", "client/cli/wormhole-sync"});
    words.push_back("--rendezvous=unix:" + Path());
    return testing::ChildProcess({.arguments = std::move(words), .input = "x"});
  }

  void ExpectExchange() {
    testing::ChildProcess initiator = Tool({"initiate"});
    const std::string code =
        initiator.WaitForLine(testing::ChildProcess::kErr, "Invitation code: ");
    ASSERT_FALSE(code.empty()) << initiator.err();
    testing::ChildProcess receiver = Tool({"receive", code});
    EXPECT_EQ(receiver.WaitForExit(), 0) << receiver.err();
    EXPECT_EQ(initiator.WaitForExit(), 0) << initiator.err();
  }

  const testing::TempFolder folder_{"/tmp"};  // short: a socket's path has at most 107 bytes
};

TEST_F(RelaySocketTest, AnExchangeAndNothingLeftBehind) {
  RelayProcess relay({Listen(), "--store=memory", "--metrics-listen=127.0.0.1:0"});
  EXPECT_EQ(relay.AwaitListening(), "unix:" + Path());
  struct stat info = {};
  ASSERT_EQ(stat(Path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0660u);
  ExpectExchange();
  relay.Signal(SIGTERM);
  EXPECT_EQ(relay.AwaitExit(), 0);
  EXPECT_FALSE(std::filesystem::exists(Path()));
  EXPECT_THAT(relay.error(), HasSubstr("client=unix")) << "the log's network of a client";
}

TEST_F(RelaySocketTest, ADeadRelaysSocketIsReplaced) {
  {
    RelayProcess dead({Listen(), "--store=memory"});
    EXPECT_EQ(dead.AwaitListening(), "unix:" + Path());
    dead.Signal(SIGKILL);
    dead.AwaitExit();
  }
  ASSERT_TRUE(std::filesystem::exists(Path()));
  RelayProcess relay({Listen(), "--store=memory"});
  EXPECT_EQ(relay.AwaitListening(), "unix:" + Path());
  ExpectExchange();
}

TEST_F(RelaySocketTest, ARelayThatEndsLeavesTheNextOnesSocket) {
  RelayProcess first({Listen(), "--store=memory"});
  EXPECT_EQ(first.AwaitListening(), "unix:" + Path());
  std::filesystem::remove(Path());
  RelayProcess second({Listen(), "--store=memory"});
  EXPECT_EQ(second.AwaitListening(), "unix:" + Path());
  first.Signal(SIGTERM);
  EXPECT_EQ(first.AwaitExit(), 0);
  ASSERT_TRUE(std::filesystem::exists(Path()));
  ExpectExchange();
}

TEST_F(RelaySocketTest, ALiveRelayKeepsItsSocket) {
  RelayProcess first({Listen(), "--store=memory"});
  EXPECT_EQ(first.AwaitListening(), "unix:" + Path());
  RelayProcess second({Listen(), "--store=memory"});
  EXPECT_EQ(second.AwaitExit(), 1);
  EXPECT_THAT(second.error(), HasSubstr("another process listens"));
  ExpectExchange();
}

}  // namespace
}  // namespace wormhole::service_test
