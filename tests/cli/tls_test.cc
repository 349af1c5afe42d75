// The tool and a relay with a certificate.
#include <cstdlib>
#include <string>

#include "client/stream/testing/connect_proxy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fixture.h"

namespace wormhole::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Certificate(const std::string& name) { return "tests/support/tls/" + name; }

class TlsTest : public CliTest {
 protected:
  TlsTest()
      : CliTest({"--tls-cert=" + Certificate("loopback.pem"),
                 "--tls-key=" + Certificate("loopback.key")}) {}

  static Words Trusting(Words words) {
    words.push_back("--tls-ca=" + Certificate("loopback.pem"));
    return words;
  }

  // An exchange of "a" against "b" over TLS.
  void ExpectExchange(const Words& initiate, Words receive) {
    auto initiator = Start(WithRelay(Trusting(initiate)), "a");
    receive.insert(receive.begin() + 1, CodeOf(*initiator));
    auto receiver = Start(WithRelay(Trusting(receive)), "b");
    EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->err();
    EXPECT_EQ(initiator->WaitForExit(), 0) << initiator->err();
    EXPECT_EQ(receiver->out() + initiator->out(), "ab");
  }
};

TEST_F(TlsTest, AnExchangeWithATrustedRelay) { ExpectExchange({"initiate"}, {"receive"}); }

// This relay asks for none, and takes no notice.
TEST_F(TlsTest, ABearerToken) {
  const Words token = {"--bearer-token-file", MakeFile("token", "c2VjcmV0\n")};
  ExpectExchange({"initiate", token[0], token[1]}, {"receive", token[0], token[1]});
}

TEST_F(TlsTest, AResumeWithTheCredentialsAgain) {
  auto first = Start(WithRelay(Trusting({"initiate", "--state", PathOf("state")})), "a");
  const std::string code = CodeOf(*first);
  first.reset();
  auto second = Start(Trusting({"resume", PathOf("state")}));
  EXPECT_EQ(CodeOf(*second), code);
  auto receiver = Start(WithRelay(Trusting({"receive", code})), "b");
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->err();
  EXPECT_EQ(second->WaitForExit(), 0) << second->err();
  EXPECT_EQ(receiver->out() + second->out(), "ab");
}

// What waiting does not mend ends at once, whatever the timeout.
TEST_F(TlsTest, AnUntrustedRelayIsRefusedAtOnce) {
  auto initiator = Start(
      WithRelay({"initiate", "--timeout", "7d", "--tls-ca", Certificate("other_ca.pem")}), "a");
  EXPECT_EQ(initiator->WaitForExit(), 5) << initiator->err();
  EXPECT_THAT(initiator->err(), StartsWith("wormhole-sync: give the certificate of the relay"));
  EXPECT_THAT(initiator->err(), HasSubstr("see --rendezvous, --tls-ca and --plaintext"));
  EXPECT_THAT(initiator->err(), Not(HasSubstr("Invitation code")));
  EXPECT_THAT(initiator->err(), Not(HasSubstr("SSL")));
  EXPECT_EQ(initiator->out(), "");
}

// As it is by default to this very machine.
TEST_F(TlsTest, PlaintextIsToldThatItSpeaksTls) {
  auto initiator = Start(WithRelay({"initiate", "--timeout", "7d", "--plaintext"}), "a");
  EXPECT_EQ(initiator->WaitForExit(), 5) << initiator->err();
  EXPECT_THAT(initiator->err(), StartsWith("wormhole-sync: leave out --plaintext"));
}

// In the variables of curl, by capitals; the relay's name is nobody's but the proxy's.
TEST_F(TlsTest, ThroughAProxyOfTheEnvironment) {
  const size_t colon = address().rfind(':');
  ConnectProxy proxy(std::stoi(address().substr(colon + 1)));
  ASSERT_EQ(setenv("HTTPS_PROXY", ("http://me:a%40b@" + proxy.address()).c_str(), 1), 0);
  auto initiator =
      Start(Trusting({"initiate", "--timeout", "7d", "--rendezvous", "relay.test:443"}), "a");
  EXPECT_EQ(initiator->WaitForExit(), 5) << initiator->err();
  ASSERT_EQ(unsetenv("HTTPS_PROXY"), 0);
  // Through the proxy the relay was reached, and its certificate is for another name.
  EXPECT_THAT(initiator->err(), HasSubstr("write the relay by a name that its certificate has"));
  ASSERT_FALSE(proxy.requests().empty());
  EXPECT_THAT(proxy.requests()[0], StartsWith("CONNECT relay.test:443 "));
  EXPECT_THAT(proxy.requests()[0], HasSubstr("Basic bWU6YUBi"));  // me:a@b
}

TEST_F(TlsTest, AProxyThatIsNoneIsRefusedBeforeAnythingIsSent) {
  ASSERT_EQ(setenv("https_proxy", "socks5://secret@127.0.0.1:1", 1), 0);
  auto initiator = Start(Trusting({"initiate", "--rendezvous", "relay.test:443"}), "a");
  EXPECT_EQ(initiator->WaitForExit(), 2) << initiator->err();
  ASSERT_EQ(unsetenv("https_proxy"), 0);
  EXPECT_THAT(initiator->err(), StartsWith("wormhole-sync: set $https_proxy to http://HOST:PORT"));
  EXPECT_THAT(initiator->err(), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace wormhole::testing
