// The tool and a relay with a certificate.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fixture.h"

namespace wormhole::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Certificate(const std::string& name) { return "tests/service/tls/" + name; }

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

TEST_F(TlsTest, AnUntrustedRelayIsUnreachable) {
  auto initiator = Start(
      WithRelay({"initiate", "--timeout", "1s", "--tls-ca", Certificate("other_ca.pem")}), "a");
  EXPECT_EQ(initiator->WaitForExit(), 5) << initiator->err();
  EXPECT_THAT(initiator->err(), HasSubstr("see --rendezvous, --tls-ca and --plaintext"));
  EXPECT_THAT(initiator->err(), Not(HasSubstr("Invitation code")));
  EXPECT_EQ(initiator->out(), "");
}

// As it is by default to this very machine.
TEST_F(TlsTest, PlaintextDoesNotReachIt) {
  auto initiator = Start(WithRelay({"initiate", "--timeout", "1s", "--plaintext"}), "a");
  EXPECT_EQ(initiator->WaitForExit(), 5) << initiator->err();
}

}  // namespace
}  // namespace wormhole::testing
