// The tool and a relay that asks for bearer tokens.
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/admission/token_list.h"
#include "tests/cli/fixture.h"

namespace wormhole::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kInitiators[] = "pVY8y1PPtYfFoqzMeWMf4b0uHvNnMS4nVn1WcCPv0aQ";
constexpr char kReceivers[] = "7sKxvT3Zb_0f-Ck1dqYfGVQbhS6vV0b9oWmJxkPz4uE";

// One may allocate, the other may claim.
std::string TokensFile() {
  const std::string path = ::testing::TempDir() + "/tokens";
  std::ofstream(path)
      << relay::TokenList::Write(relay::HashToken(kInitiators), "allocate", "*").value() << "\n"
      << relay::TokenList::Write(relay::HashToken(kReceivers), "claim", "*").value() << "\n";
  return path;
}

class TokensTest : public CliTest {
 protected:
  TokensTest() : CliTest({"--tokens-file=" + TokensFile()}) {}

  Words With(const std::string& token, Words words) const {
    words.push_back("--bearer-token-file=" + MakeFile("token." + token, token + "\n"));
    return words;
  }
};

TEST_F(TokensTest, AnExchangeOfThoseWhoHaveThem) {
  auto initiator = Start(WithRelay(With(kInitiators, {"initiate"})), "a");
  auto receiver = Start(WithRelay(With(kReceivers, {"receive", CodeOf(*initiator)})), "b");
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->err();
  EXPECT_EQ(initiator->WaitForExit(), 0) << initiator->err();
  EXPECT_EQ(receiver->out() + initiator->out(), "ab");
}

// Whatever the timeout.
TEST_F(TokensTest, WhoHasNoneOrAnotherOnesHearsSoAtOnce) {
  auto none = Start(WithRelay({"initiate", "--timeout", "7d"}), "a");
  EXPECT_EQ(none->WaitForExit(), 5) << none->err();
  EXPECT_THAT(none->err(), HasSubstr("a bearer token is needed to allocate"));
  EXPECT_THAT(none->err(), HasSubstr("see --bearer-token-file"));
  auto wrong = Start(WithRelay(With("wrong", {"initiate", "--timeout", "7d"})), "a");
  EXPECT_EQ(wrong->WaitForExit(), 5) << wrong->err();
  EXPECT_THAT(wrong->err(), HasSubstr("does not know this bearer token"));
  auto other = Start(WithRelay(With(kReceivers, {"initiate", "--timeout", "7d"})), "a");
  EXPECT_EQ(other->WaitForExit(), 5) << other->err();
  EXPECT_THAT(other->err(), HasSubstr("the bearer token may not allocate"));
  EXPECT_THAT(other->err(), Not(HasSubstr(kReceivers)));
}

// The token is not saved, and one who is in needs none to go on.
TEST_F(TokensTest, AResumeNeedsNone) {
  auto first = Start(WithRelay(With(kInitiators, {"initiate", "--state", PathOf("state")})), "a");
  const std::string code = CodeOf(*first);
  first.reset();
  EXPECT_THAT(FileContent("state"), Not(HasSubstr(kInitiators)));
  auto second = Start({"resume", PathOf("state")});
  auto receiver = Start(WithRelay(With(kReceivers, {"receive", code})), "b");
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->err();
  EXPECT_EQ(second->WaitForExit(), 0) << second->err();
  EXPECT_EQ(receiver->out() + second->out(), "ab");
}

}  // namespace
}  // namespace wormhole::testing
