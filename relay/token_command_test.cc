#include "relay/token_command.h"

#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/admission/token_hash.h"
#include "relay/admission/token_list.h"

namespace wormhole::relay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Ran {
  absl::Status status;
  std::string out;
};

Ran RunCommand(const std::vector<std::string>& args, const std::string& in = "") {
  EXPECT_TRUE(IsTokenCommand(args));
  std::istringstream input(in);
  std::ostringstream output;
  const absl::Status status = RunTokenCommand(args, input, output);
  return {status, output.str()};
}

TEST(TokenCommandTest, WhatIsMadeCanBeHashed) {
  const Ran made = RunCommand({"make-token"});
  ASSERT_TRUE(made.status.ok()) << made.status;
  EXPECT_EQ(made.out.size(), 44u);
  EXPECT_NE(RunCommand({"make-token"}).out, made.out);
  const Ran hashed = RunCommand({"hash-token"}, made.out);
  ASSERT_TRUE(hashed.status.ok()) << hashed.status;
  const std::string token = made.out.substr(0, 43);
  EXPECT_EQ(hashed.out, WriteTokenHash(HashToken(token)) + " allocate,claim *\n");
  EXPECT_TRUE(TokenList::Parse(hashed.out).ok());
  EXPECT_EQ(RunCommand({"hash-token", "claim", "my app/*"}, token + " \r\n").out,
            WriteTokenHash(HashToken(token)) + " claim my app/*\n");
}

TEST(TokenCommandTest, WhatIsNoneIsRefusedAndNotShown) {
  const std::string token = RunCommand({"make-token"}).out;
  const struct {
    std::vector<std::string> args;
    std::string in;
    const char* what;
  } cases[] = {
      {{"make-token", "x"}, "", "takes no arguments"},
      {{"hash-token", "claim", "*", token}, "", "on standard input"},
      {{"hash-token", "resume"}, token, "what it is for"},
      {{"hash-token", "claim", "a*b"}, token, "only at its end"},
      {{"hash-token"}, "", "no token of"},
      {{"hash-token"}, "correct-horse-battery-staple-correct-horse-b\n", "no token of"},
      {{"hash-token"}, token + token, "no token of"},
      {{"hash-token"}, std::string(1 << 20, 'a'), "no token of"},
  };
  for (const auto& c : cases) {
    const Ran ran = RunCommand(c.args, c.in);
    EXPECT_EQ(ran.status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(ran.status.message()), HasSubstr(c.what));
    EXPECT_THAT(std::string(ran.status.message()), Not(HasSubstr(token.substr(0, 43))));
    EXPECT_THAT(std::string(ran.status.message()), Not(HasSubstr("battery")));
    EXPECT_EQ(ran.out, "");
  }
}

TEST(TokenCommandTest, FlagsAreNoCommand) {
  EXPECT_FALSE(IsTokenCommand({}));
  EXPECT_FALSE(IsTokenCommand({"--motd", "make-token"}));
}

TEST(TokenCommandTest, ADiskThatIsFullIsTold) {
  std::istringstream in;
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  EXPECT_EQ(RunTokenCommand({"make-token"}, in, out).code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace wormhole::relay
