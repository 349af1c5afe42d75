// The metrics port of the binary, from outside: where it is refused, and that it is off by default.
#include <signal.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/relay_process.h"

namespace wormhole::service_test {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using testing::RelayProcess;

void ExpectTaken(RelayProcess& relay, const std::string& metrics) {
  EXPECT_EQ(relay.AwaitExit(), 1);
  EXPECT_EQ(relay.output(), "");
  EXPECT_THAT(relay.error(), MatchesRegex("wormhole-relay: --metrics-listen: cannot listen on " +
                                          metrics + ": the port is taken; [^\n]*\n"));
}

TEST(MetricsProcessTest, APortThatIsTakenIsOneLine) {
  RelayProcess first({"--listen=127.0.0.1:0", "--store=memory", "--metrics-listen=127.0.0.1:0"});
  const std::string taken = first.AwaitLine("metrics on ");
  RelayProcess second({"--listen=127.0.0.1:0", "--store=memory", "--metrics-listen=" + taken});
  ExpectTaken(second, taken);
}

// Or a relay that is started again and again lets clients in each time, and cuts them off. Of two
// ports that are taken, the one that is opened first is complained of.
TEST(MetricsProcessTest, APortThatIsTakenIsNoticedBeforeClientsAreLetIn) {
  RelayProcess first({"--listen=127.0.0.1:0", "--store=memory", "--metrics-listen=127.0.0.1:0"});
  const std::string taken = first.AwaitLine("metrics on ");
  RelayProcess second(
      {"--listen=" + first.AwaitListening(), "--store=memory", "--metrics-listen=" + taken});
  ExpectTaken(second, taken);
}

TEST(MetricsProcessTest, NoneUnlessAskedFor) {
  RelayProcess relay({"--listen=127.0.0.1:0", "--store=memory"});
  ASSERT_NE(relay.AwaitListening(), "");
  relay.Signal(SIGTERM);
  EXPECT_EQ(relay.AwaitExit(), 0);
  EXPECT_THAT(relay.output(), Not(HasSubstr("metrics")));
}

}  // namespace
}  // namespace wormhole::service_test
