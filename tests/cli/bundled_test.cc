// The tool of the archive, which has inside what the other one takes from Debian's libraries.
#include <cstdlib>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "client/stream/testing/connect_proxy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fixture.h"

namespace wormhole::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::StartsWith;

// An exchange with the relay at `rendezvous`, in `environment`.
void ExpectExchange(const std::string& rendezvous,
                    const std::vector<std::pair<std::string, std::string>>& environment) {
  const std::string relay = "--rendezvous=" + rendezvous;
  ChildProcess initiator(
      {.arguments = {ToolPath(), "initiate", "--data=a", relay}, .environment = environment});
  const std::string code = initiator.WaitForLine(ChildProcess::kErr, "Invitation code: ");
  ASSERT_FALSE(code.empty()) << initiator.err();
  ChildProcess receiver(
      {.arguments = {ToolPath(), "receive", code, "--data=b", relay}, .environment = environment});
  EXPECT_EQ(receiver.WaitForExit(), 0) << receiver.err();
  EXPECT_EQ(initiator.WaitForExit(), 0) << initiator.err();
  EXPECT_EQ(receiver.out() + initiator.out(), "ab");
}

std::string PortOf(const std::string& address) { return address.substr(address.rfind(':') + 1); }

// The libraries without which a program does not start.
std::set<std::string> NeedsOf(const std::string& program) {
  ChildProcess readelf({.arguments = {"/usr/bin/readelf", "--dynamic", "--wide", program}});
  EXPECT_EQ(readelf.WaitForExit(), 0) << readelf.err();
  std::set<std::string> needs;
  std::istringstream lines(readelf.out());
  for (std::string line; std::getline(lines, line);) {
    if (line.find("(NEEDED)") == std::string::npos) continue;
    const size_t begin = line.find('[') + 1;
    needs.insert(line.substr(begin, line.find(']') - begin));
  }
  return needs;
}

TEST(BundledTest, NeedsGlibcAndTheCxxLibraryAlone) {
  const std::set<std::string> everywhere = {"ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6",
                                            "libstdc++.so.6"};
  EXPECT_THAT(everywhere, IsSupersetOf(NeedsOf(ToolPath())));
  // And one that needs more would be found.
  EXPECT_THAT(NeedsOf(getenv("OTHER_WORMHOLE_SYNC")), Contains(StartsWith("libgrpc++.so")));
}

class BundledByNameTest : public CliTest {};

TEST_F(BundledByNameTest, FindsTheRelayOfAName) {
  ExpectExchange("localhost:" + PortOf(address()), {});
}

// By a name that is not this machine's, of which a proxy knows, since that is where authorities
// count.
class BundledTlsTest : public CliTest {
 protected:
  BundledTlsTest()
      : CliTest(
            {"--tls-cert=tests/support/tls/relay.pem", "--tls-key=tests/support/tls/relay.key"}),
        proxy_(std::stoi(PortOf(address()))) {}

  std::pair<std::string, std::string> ByProxy() const {
    return {"https_proxy", "http://" + proxy_.address()};
  }

 private:
  ConnectProxy proxy_;
};

TEST_F(BundledTlsTest, FindsTheMachinesAuthorities) {
  ExpectExchange("relay.test:443",
                 {ByProxy(), {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "tests/support/tls/ca.pem"}});
}

TEST_F(BundledTlsTest, TrustsNoRelayThatTheyDoNotKnow) {
  ChildProcess initiator({.arguments = {ToolPath(), "initiate", "--data=a", "--timeout=7d",
                                        "--rendezvous=relay.test:443"},
                          .environment = {ByProxy()}});
  EXPECT_EQ(initiator.WaitForExit(), 5) << initiator.err();
  EXPECT_THAT(initiator.err(), HasSubstr("is signed by one that is unknown here"));
}

}  // namespace
}  // namespace wormhole::testing
