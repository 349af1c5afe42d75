// What an operator sets, from outside: flag files, --print-config, core dumps.
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/attach_client.h"
#include "tests/support/relay_process.h"

namespace wormhole::service_test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using testing::RelayProcess;

std::string WriteFile(const std::string& name, const std::string& text) {
  const std::string path = ::testing::TempDir() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

TEST(RelayConfigTest, AFlagFileSetsFlags) {
  const std::string file = WriteFile("relay.flags",
                                     "# For the test.\nlisten=127.0.0.1:0\nadmin-listen=off\n"
                                     "--store=memory\nmotd=\"bread is\\nfree today\"\n");
  for (RelayProcess* relay : {new RelayProcess({"--flagfile=" + file}),
                              new RelayProcess({}, {{"WORMHOLE_RELAY_FLAGFILE", file}})}) {
    AttachClient client(Connect(relay->AwaitListening()));
    client.Send(OpenAllocate('a'));
    EXPECT_EQ(client.Receive()->opened().motd(), "bread is\nfree today");
    delete relay;
  }
}

TEST(RelayConfigTest, AMistakeInAFlagFileIsOneLine) {
  const std::string file = WriteFile("bad.flags", "listen=127.0.0.1:0\nheartbeat=20\n");
  RelayProcess relay({"--flagfile=" + file});
  EXPECT_EQ(relay.AwaitExit(), 2);
  EXPECT_EQ(relay.error(),
            "wormhole-relay: " + file +
                ":2: heartbeat=20: should be a time with a unit, such as 90s, 5m, 1h or 7d, from "
                "100ms to 10m; see wormhole-relay --help\n");
  RelayProcess missing({"--flagfile=/nowhere/at/all"});
  EXPECT_EQ(missing.AwaitExit(), 2);
  EXPECT_EQ(missing.error(),
            "wormhole-relay: --flagfile=/nowhere/at/all: cannot be read: No such file or "
            "directory; see wormhole-relay --help\n");
}

TEST(RelayConfigTest, PrintsTheConfigurationAsAFlagFile) {
  const std::string file = WriteFile("some.flags", "\nquarantine=1m\n");
  RelayProcess first({"--print-config", "--flagfile=" + file, "--store=memory"},
                     {{"WORMHOLE_RELAY_MOTD", "bread is\nfree"}});
  EXPECT_EQ(first.AwaitExit(), 0);
  EXPECT_EQ(first.error(), "");
  EXPECT_THAT(first.output(), HasSubstr("--store=\"memory\""));
  EXPECT_THAT(first.output(), HasSubstr("# " + file + ":2\n"));
  const std::string printed = WriteFile("printed.flags", first.output());
  RelayProcess second({"--print-config", "--flagfile=" + printed});
  EXPECT_EQ(second.AwaitExit(), 0);
  const auto values = [](const std::string& text) {
    std::string kept;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) kept += line.substr(0, line.rfind("# "));
    return kept;
  };
  EXPECT_EQ(values(second.output()), values(first.output()));
  EXPECT_THAT(second.output(), HasSubstr("\"bread is\\nfree\""));
}

TEST(RelayConfigTest, DoesNotPrintWhatCannotBe) {
  RelayProcess relay({"--print-config", "--tls-cert=c.pem"});
  EXPECT_EQ(relay.AwaitExit(), 2);
  EXPECT_EQ(relay.output(), "");
  EXPECT_THAT(relay.error(), HasSubstr("--tls-cert and --tls-key are given both"));
}

std::string CoreLimit(pid_t pid) {
  std::ifstream limits("/proc/" + std::to_string(pid) + "/limits");
  for (std::string line; std::getline(limits, line);) {
    if (line.starts_with("Max core file size")) return line;
  }
  return "";
}

// Root owns what /proc shows of a process that leaves no core.
uid_t OwnerOf(pid_t pid) {
  struct stat status = {};
  EXPECT_EQ(stat(("/proc/" + std::to_string(pid)).c_str(), &status), 0);
  return status.st_uid;
}

TEST(RelayConfigTest, LeavesNoCoreUnlessAskedTo) {
  RelayProcess discreet({"--listen=127.0.0.1:0", "--store=memory"});
  ASSERT_NE(discreet.AwaitListening(), "");
  EXPECT_THAT(CoreLimit(discreet.pid()), MatchesRegex("Max core file size +0 +0 +bytes *"));
  EXPECT_EQ(OwnerOf(discreet.pid()), 0u);
  RelayProcess open({"--listen=127.0.0.1:0", "--store=memory", "--core-dumps"});
  ASSERT_NE(open.AwaitListening(), "");
  EXPECT_EQ(CoreLimit(open.pid()), CoreLimit(getpid()));
  EXPECT_EQ(OwnerOf(open.pid()), geteuid());
}

}  // namespace
}  // namespace wormhole::service_test
