#include "client/cli/arguments.h"

#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using Words = std::vector<std::string>;

// The message of what must be refused.
std::string Refused(const Words& words) {
  absl::StatusOr<Arguments> arguments = ParseArguments(words);
  if (arguments.ok()) return "(accepted)";
  EXPECT_EQ(ReasonOf(arguments.status()), Reason::kInvalidArgument);
  return std::string(arguments.status().message());
}

TEST(ArgumentsTest, Defaults) {
  absl::StatusOr<Arguments> arguments = ParseArguments({"initiate"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->action, Action::kRun);
  EXPECT_EQ(arguments->command, Command::kInitiate);
  EXPECT_EQ(arguments->app_id, kDefaultAppId);
  EXPECT_FALSE(arguments->timeout.has_value());
  EXPECT_TRUE(ReadsDataFromStdin(*arguments));
}

TEST(ArgumentsTest, EveryOptionOfInitiate) {
  absl::StatusOr<Arguments> arguments = ParseArguments({"initiate",
                                                        "--app-id",
                                                        "example.com/a",
                                                        "--rendezvous=relay:1",
                                                        "--data",
                                                        "",
                                                        "--words",
                                                        "8",
                                                        "--timeout",
                                                        "3d",
                                                        "--ttl",
                                                        "4d",
                                                        "--schedule",
                                                        "0:0.5,60:5",
                                                        "--check-in",
                                                        "--verify",
                                                        "--qr",
                                                        "--state",
                                                        "s",
                                                        "--keep-state",
                                                        "--tls-ca",
                                                        "ca",
                                                        "--tls-cert",
                                                        "cert",
                                                        "--tls-key",
                                                        "key",
                                                        "--bearer-token-file",
                                                        "token",
                                                        "--allow-other-words"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->app_id, "example.com/a");
  EXPECT_EQ(arguments->rendezvous, "relay:1");
  EXPECT_EQ(arguments->data, "");
  EXPECT_FALSE(ReadsDataFromStdin(*arguments));
  EXPECT_EQ(arguments->words, 8u);
  EXPECT_EQ(arguments->timeout, absl::Hours(72));
  EXPECT_EQ(arguments->ttl, absl::Hours(96));
  ASSERT_TRUE(arguments->schedule.has_value());
  EXPECT_EQ(arguments->schedule->size(), 2u);
  EXPECT_TRUE(arguments->check_in && arguments->verify && arguments->qr && arguments->keep_state &&
              arguments->allow_other_words);
  EXPECT_EQ(arguments->state, "s");
  EXPECT_EQ(arguments->tls_ca, "ca");
  EXPECT_EQ(arguments->tls_cert, "cert");
  EXPECT_EQ(arguments->tls_key, "key");
  EXPECT_EQ(arguments->bearer_token_file, "token");
}

TEST(ArgumentsTest, ReceiveTakesTheCodeInTwoWays) {
  for (const Words& words :
       {Words{"receive", "4-purple-sausage", "--allow-other-words", "--wait"},
        Words{"receive", "--wait", "--allow-other-words", "--code=4-purple-sausage"}}) {
    absl::StatusOr<Arguments> arguments = ParseArguments(words);
    ASSERT_TRUE(arguments.ok()) << arguments.status();
    EXPECT_EQ(arguments->code, "4-purple-sausage");
    EXPECT_TRUE(arguments->wait);
  }
  EXPECT_THAT(Refused({"receive", "4-able-zoo", "--code", "4-able-zoo"}), HasSubstr("already"));
  EXPECT_THAT(Refused({"receive", "--code", "4-able-zoo", "4-able-zoo"}), HasSubstr("too many"));
}

TEST(ArgumentsTest, ACodeIsTakenAsPeopleTypeIt) {
  for (const Words& words : {
           Words{"receive", "4", "able", "zoo"},
           Words{"receive", "4 able zoo"},
           Words{"receive", "--wait", "4", "--verify", "Able", "--words=2", "ZOO"},
           Words{"receive", "4", "-", "able", "-", "zoo"},
           Words{"receive", "Invitation code: 4-able-zoo"},
           Words{"receive", "Invitation", "code:", "4-able-zoo"},
           Words{"receive", "4\u2011able\u2011zoo."},
           Words{"receive", "--code", "04_able_zoo"},
           Words{"initiate", "--code=\u201c4 able zoo\u201d"},
       }) {
    absl::StatusOr<Arguments> arguments = ParseArguments(words);
    ASSERT_TRUE(arguments.ok()) << arguments.status();
    EXPECT_EQ(arguments->code, "4-able-zoo");
  }
  EXPECT_THAT(Refused({"receive", "4", "able"}), HasSubstr("one word only"));
  EXPECT_THAT(Refused({"receive", "4-able-zoo", "data.txt"}), HasSubstr("\"data\""));
}

TEST(ArgumentsTest, TheNumberOfWordsOfACodeCanBeDemanded) {
  EXPECT_TRUE(ParseArguments({"receive", "4-able-zoo", "--words", "2"}).ok());
  EXPECT_THAT(Refused({"receive", "4-able-zoo", "--words", "3"}), HasSubstr("has 2 words"));
  EXPECT_THAT(Refused({"initiate", "--code", "4-able-zoo", "--words", "2"}),
              HasSubstr("exclude each other"));
}

TEST(ArgumentsTest, ResumeNeedsItsFileAndTakesCredentials) {
  absl::StatusOr<Arguments> arguments =
      ParseArguments({"resume", "file", "--rendezvous", "r:1", "--plaintext", "--keep-state"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->state, "file");
  EXPECT_FALSE(ReadsDataFromStdin(*arguments));
  EXPECT_THAT(Refused({"resume"}), HasSubstr("needs the state file"));
  EXPECT_THAT(Refused({"resume", "a", "b"}), HasSubstr("too many"));
  EXPECT_THAT(Refused({"resume", "a", "--data", "x"}),
              HasSubstr("--data is an option of initiate and receive, not of resume"));
}

TEST(ArgumentsTest, WordsAfterTwoDashesAreNoOptions) {
  absl::StatusOr<Arguments> arguments = ParseArguments({"resume", "--", "--file"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->state, "--file");
}

TEST(ArgumentsTest, HelpAndVersionAnywhere) {
  EXPECT_EQ(ParseArguments({"--help"})->action, Action::kHelp);
  EXPECT_EQ(ParseArguments({"help"})->action, Action::kHelp);
  EXPECT_EQ(ParseArguments({"--version"})->action, Action::kVersion);
  absl::StatusOr<Arguments> arguments = ParseArguments({"receive", "nonsense", "-h"});
  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(arguments->action, Action::kHelp);
  EXPECT_EQ(arguments->command, Command::kReceive);
  EXPECT_EQ(ParseArguments({"resume", "--version"})->action, Action::kVersion);
}

struct Case {
  Words words;
  const char* message;
};

TEST(ArgumentsTest, EachMistakeIsOneLineThatSaysWhatToDo) {
  const Case cases[] = {
      {{}, "which command?"},
      {{"frobnicate"}, "`frobnicate` is no command; use initiate"},
      {{""}, "is no command"},
      {{"initiate", "--frob"}, "there is no option --frob; see `wormhole-sync initiate --help`"},
      {{"initiate", "--frob=x"}, "there is no option --frob;"},
      {{"initiate", "-x"}, "there is no option -x"},
      {{"initiate", "4-able-zoo"}, "one argument too many"},
      {{"initiate", "--wait"}, "--wait is an option of receive, not of initiate"},
      {{"receive", "--qr"}, "--qr is an option of initiate, not of receive"},
      {{"receive", ""}, "is no code"},
      {{"receive", "4", "", "zoo"}, "is no code"},
      {{"resume", ""}, "is no state file"},
      {{"initiate", "--words"}, "--words needs a value: --words N"},
      {{"initiate", "--words", "1"}, "--words: must be a number from 2 to 8"},
      {{"initiate", "--words", "9"}, "--words: must be"},
      {{"initiate", "--words", "2x"}, "--words: must be"},
      {{"initiate", "--words", "-2"}, "--words: must be"},
      {{"initiate", "--check-in=yes"}, "--check-in takes no value"},
      {{"initiate", "--qr", "--qr"}, "--qr is given twice"},
      {{"initiate", "--file", ""}, "--file: an empty value"},
      {{"initiate", "--data", "a", "--file", "b"}, "--data and --file exclude each other"},
      {{"initiate", "--timeout", "soon"}, "--timeout: not a duration"},
      {{"initiate", "--timeout", "0"}, "--timeout: must be between 1ms and 7d"},
      {{"initiate", "--timeout", "8d"}, "--timeout: must be between"},
      {{"initiate", "--timeout", "5m", "--ttl", "4m"}, "--ttl is shorter than the timeout"},
      {{"initiate", "--ttl", "30s"}, "--ttl is shorter than the timeout"},
      {{"initiate", "--schedule", "60:5,0:1"}, "--schedule: "},
      {{"initiate", "--schedule", ""}, "--schedule: "},
      {{"initiate", "--app-id", ""}, "--app-id: "},
      {{"initiate", "--app-id", std::string(256, 'a')}, "--app-id: "},
      {{"initiate", "--app-id", "a\nb"}, "--app-id: "},
      {{"initiate", "--data", std::string(65001, 'a')}, "--data: more than 65,000 bytes"},
      {{"initiate", "--keep-state"}, "--keep-state needs --state FILE"},
      {{"initiate", "--tls-cert", "c"}, "--tls-cert and --tls-key belong together"},
      {{"initiate", "--tls-key", "k"}, "--tls-cert and --tls-key belong together"},
      {{"initiate", "--plaintext", "--tls-ca", "c"}, "--plaintext and --tls-..."},
      {{"receive", "purple-sausages"}, ""},
      {{"receive", "4-purple-sausagez"}, ""},
      {{"receive", "0-able-zoo"}, ""},
      {{"initiate", "--code", "4"}, ""},
  };
  for (const Case& c : cases) {
    const std::string message = Refused(c.words);
    EXPECT_THAT(message, AllOf(HasSubstr(c.message), Not(HasSubstr("\n")), Not("(accepted)")))
        << ::testing::PrintToString(c.words);
  }
}

TEST(ArgumentsTest, TheLargestDataFits) {
  EXPECT_TRUE(ParseArguments({"initiate", "--data", std::string(65000, 'a')}).ok());
}

// Any words: a result or a refusal with a message, never a crash; and what is accepted keeps the
// promises that later code relies on.
TEST(ArgumentsTest, AnyWords) {
  const char* const pieces[] = {"initiate", "receive",  "resume",   "--",         "--data",
                                "--file",   "--words",  "2",        "--code",     "4-able-zoo",
                                "--wait",   "--state",  "f",        "--timeout",  "5m",
                                "--ttl",    "10m",      "--qr",     "--schedule", "0:1",
                                "--help",   "--words=", "--=",      "-",          "",
                                "\xff\xfe", "--verify", "--tls-ca", "--plaintext"};
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    Words words;
    for (size_t n = random() % 7; n > 0; --n)
      words.emplace_back(pieces[random() % std::size(pieces)]);
    absl::StatusOr<Arguments> arguments = ParseArguments(words);
    if (!arguments.ok()) {
      EXPECT_FALSE(arguments.status().message().empty());
    } else if (arguments->action == Action::kRun) {
      EXPECT_TRUE(arguments->command.has_value());
      EXPECT_FALSE(arguments->data.has_value() && !arguments->file.empty());
      EXPECT_TRUE(arguments->command != Command::kResume || !arguments->state.empty());
    }
  }
}

}  // namespace
}  // namespace wormhole::cli
