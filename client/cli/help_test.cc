#include "client/cli/help.h"

#include <regex>
#include <sstream>
#include <string>

#include "client/cli/option_table.h"
#include "client/core/code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

void ExpectFits(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
  EXPECT_EQ(text.back(), '\n');
}

TEST(HelpTest, EachCommandListsItsOptionsAndNoOthers) {
  for (const CommandSpec& command : CommandTable()) {
    const std::string help = HelpText(command.command);
    ExpectFits(help);
    for (const OptionSpec& option : OptionTable()) {
      const std::string line = "\n  " + std::string(option.name) + " ";
      if ((option.commands & command.bit) != 0) {
        EXPECT_THAT(help, HasSubstr(line)) << command.name;
      } else {
        EXPECT_THAT(help, Not(HasSubstr(line))) << command.name;
      }
    }
    EXPECT_THAT(help, HasSubstr("Exit codes:"));
  }
}

TEST(HelpTest, TheGeneralHelpNamesEachCommand) {
  const std::string help = HelpText(std::nullopt);
  ExpectFits(help);
  for (const CommandSpec& command : CommandTable()) {
    EXPECT_THAT(help, HasSubstr("\n  " + std::string(command.name)));
    EXPECT_EQ(&SpecOf(command.command), &command);
  }
  EXPECT_THAT(VersionText(), HasSubstr("wormhole-sync "));
}

// A user who tries an example must not read that a word is unknown.
TEST(HelpTest, CodesInExamplesAreMadeOfListedWords) {
  const std::regex pattern("[0-9]+(-[a-z]+){2,8}");
  int found = 0;
  for (const CommandSpec& command : CommandTable()) {
    const std::string help = HelpText(command.command);
    for (std::sregex_iterator it(help.begin(), help.end(), pattern), end; it != end; ++it) {
      EXPECT_TRUE(core::ParseCode(it->str(), false).ok()) << it->str();
      ++found;
    }
  }
  EXPECT_GT(found, 0);
}

TEST(HelpTest, TheDefaultOfTtlIsTold) {
  EXPECT_THAT(HelpText(Command::kInitiate), HasSubstr("Default: the timeout and one minute"));
}

TEST(HelpTest, TheDefaultAppIdIsTold) {
  EXPECT_THAT(HelpText(Command::kInitiate), HasSubstr(kDefaultAppId));
}

}  // namespace
}  // namespace wormhole::cli
