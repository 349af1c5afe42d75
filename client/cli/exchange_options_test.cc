#include "client/cli/exchange_options.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string PathOf(const std::string& name) { return "tests/support/tls/" + name; }

std::string ContentOf(const std::string& name) {
  std::ifstream file(PathOf(name), std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

class ExchangeOptionsTest : public ::testing::Test {
 protected:
  ExchangeOptionsTest() : interrupt_(*Interrupt::Install()) {
    EXPECT_EQ(pipe(errors_), 0);
    console_.emplace(errors_[1], Charset::kUtf8, interrupt_);
  }

  std::string FileOf(const std::string& name, const std::string& content) {
    const std::string path = ::testing::TempDir() + "/" + name;
    std::ofstream(path) << content;
    chmod(path.c_str(), 0600);
    return path;
  }

  absl::StatusOr<Options> Make(std::vector<std::string> words) {
    absl::StatusOr<Arguments> arguments = ParseArguments(words);
    EXPECT_TRUE(arguments.ok()) << arguments.status();
    return MakeOptions(*arguments, *console_, interrupt_);
  }

  std::string Refused(std::vector<std::string> words) {
    absl::StatusOr<Options> options = Make(std::move(words));
    if (options.ok()) return "(accepted)";
    EXPECT_EQ(ReasonOf(options.status()), Reason::kInvalidArgument);
    return std::string(options.status().message());
  }

  std::string Errors() {
    close(errors_[1]);
    char text[4096];
    const ssize_t count = read(errors_[0], text, sizeof(text));
    return std::string(text, static_cast<size_t>(count));
  }

  Interrupt interrupt_;
  int errors_[2] = {-1, -1};
  std::optional<Console> console_;
};

TEST_F(ExchangeOptionsTest, TheDefaultsAreTheLibrarys) {
  absl::StatusOr<Options> options = Make({"initiate"});
  ASSERT_TRUE(options.ok());
  const Options defaults;
  EXPECT_EQ(options->app_id, kDefaultAppId);
  EXPECT_EQ(options->timeout, defaults.timeout);
  EXPECT_EQ(options->ttl, defaults.ttl);
  EXPECT_EQ(options->words, defaults.words);
  EXPECT_EQ(options->security, Security::kAuto);
  EXPECT_EQ(options->schedule.size(), defaults.schedule.size());
}

TEST_F(ExchangeOptionsTest, WhatIsGivenArrives) {
  absl::StatusOr<Options> options = Make(
      {"initiate", "--rendezvous", "r:1", "--timeout", "5m", "--ttl", "6m", "--words", "3",
       "--check-in", "--verify", "--allow-other-words", "--schedule", "0:1,9:2", "--plaintext"});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->rendezvous, "r:1");
  EXPECT_EQ(options->timeout, absl::Minutes(5));
  EXPECT_EQ(options->ttl, absl::Minutes(6));
  EXPECT_EQ(options->words, 3u);
  EXPECT_TRUE(options->check_in && options->confirm_verifier && options->allow_other_words);
  EXPECT_EQ(options->schedule.size(), 2u);
  EXPECT_EQ(options->security, Security::kPlaintext);
  EXPECT_EQ(Make({"initiate", "--code", "4-able-zoo"})->code, "4-able-zoo");
  EXPECT_TRUE(Make({"receive", "4-able-zoo", "--wait"})->wait);
}

TEST_F(ExchangeOptionsTest, Credentials) {
  const std::string token = FileOf("token", "\ufeffabc.def\r\n");
  absl::StatusOr<Options> options =
      Make({"initiate", "--tls-ca", PathOf("ca.pem"), "--tls-cert", PathOf("client.pem"),
            "--tls-key", PathOf("client.key"), "--bearer-token-file", token});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->security, Security::kTls);
  EXPECT_EQ(options->tls.root_certificates, ContentOf("ca.pem"));
  EXPECT_EQ(options->tls.certificate_chain, ContentOf("client.pem"));
  EXPECT_EQ(options->tls.private_key, ContentOf("client.key"));
  EXPECT_EQ(options->bearer_token, "abc.def");
}

TEST_F(ExchangeOptionsTest, FilesThatAreNoCredentials) {
  EXPECT_THAT(Refused({"resume", "s", "--tls-ca", FileOf("a", "x")}), HasSubstr("no certificate"));
  EXPECT_THAT(Refused({"resume", "s", "--tls-ca", "/nonexistent"}), HasSubstr("cannot read"));
  for (const char* token : {"", "\n", "a b", "a\nb", "\xff", "a\tb"}) {
    EXPECT_THAT(Refused({"resume", "s", "--bearer-token-file", FileOf("t", token)}),
                HasSubstr("--bearer-token-file"))
        << token;
  }
  EXPECT_THAT(Refused({"resume", "s", "--bearer-token-file", FileOf("t", std::string(5000, 'a'))}),
              HasSubstr("more than 4096 bytes"));
}

TEST_F(ExchangeOptionsTest, TheTokensFileMayBeNamedInTheEnvironment) {
  constexpr char kVariable[] = "WORMHOLE_BEARER_TOKEN_FILE";
  ASSERT_EQ(setenv(kVariable, FileOf("t1", "from.the.environment\n").c_str(), 1), 0);
  EXPECT_EQ(Make({"initiate"})->bearer_token, "from.the.environment");
  EXPECT_EQ(Make({"initiate", "--bearer-token-file", FileOf("t2", "given")})->bearer_token,
            "given");
  ASSERT_EQ(setenv(kVariable, "/nonexistent", 1), 0);
  EXPECT_THAT(Refused({"initiate"}),
              HasSubstr("cannot read WORMHOLE_BEARER_TOKEN_FILE /nonexistent"));
  ASSERT_EQ(setenv(kVariable, "", 1), 0);
  EXPECT_EQ(Make({"initiate"})->bearer_token, "");
  ASSERT_EQ(unsetenv(kVariable), 0);
}

// The file is named, and what is wrong with it.
TEST_F(ExchangeOptionsTest, PemsThatTlsCannotUse) {
  const std::string damaged =
      FileOf("damaged", "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n");
  EXPECT_THAT(Refused({"resume", "s", "--tls-ca", damaged}),
              AllOf(HasSubstr("--tls-ca " + damaged), HasSubstr("CERTIFICATE and is none")));
  EXPECT_THAT(Refused({"resume", "s", "--tls-ca", PathOf("client.key")}),
              AllOf(HasSubstr("--tls-ca " + PathOf("client.key")), HasSubstr("no certificate")));
  EXPECT_THAT(Refused({"resume", "s", "--tls-cert", PathOf("client.pem"), "--tls-key",
                       PathOf("client.pem")}),
              AllOf(HasSubstr("--tls-key " + PathOf("client.pem")), HasSubstr("no private key")));
  EXPECT_THAT(Refused({"resume", "s", "--tls-cert", PathOf("client.pem"), "--tls-key",
                       PathOf("relay.key")}),
              AllOf(HasSubstr("--tls-key " + PathOf("relay.key")),
                    HasSubstr("is not the key of the certificate"),
                    HasSubstr("--tls-cert is " + PathOf("client.pem"))));
}

TEST_F(ExchangeOptionsTest, ATokenThatOthersCanReadGetsAWarning) {
  const std::string token = FileOf("open", "abc");
  chmod(token.c_str(), 0644);
  EXPECT_TRUE(Make({"initiate", "--bearer-token-file", token}).ok());
  EXPECT_THAT(Errors(), HasSubstr("chmod 600"));
}

std::string CommandFor(std::vector<std::string> words) {
  return ResumeCommand(*ParseArguments(words));
}

TEST(ResumeCommandTest, CredentialsAreRepeatedAsNames) {
  EXPECT_EQ(CommandFor({"initiate", "--state", "s", "--data", "secret"}), "wormhole-sync resume s");
  EXPECT_EQ(
      CommandFor({"initiate", "--state", "s", "--rendezvous", "r:1", "--tls-ca", "ca", "--tls-cert",
                  "c", "--tls-key", "k", "--bearer-token-file", "t", "--keep-state"}),
      "wormhole-sync resume s --rendezvous r:1 --tls-ca ca --tls-cert c --tls-key k "
      "--bearer-token-file t --keep-state");
  EXPECT_EQ(CommandFor({"receive", "--state", "s", "--plaintext"}),
            "wormhole-sync resume s --plaintext");
}

TEST(ResumeCommandTest, NamesAreQuotedForTheShell) {
  EXPECT_EQ(CommandFor({"initiate", "--state", "my state; rm -rf $HOME"}),
            "wormhole-sync resume 'my state; rm -rf $HOME'");
  EXPECT_EQ(CommandFor({"initiate", "--state", "it's"}), "wormhole-sync resume 'it'\\''s'");
  EXPECT_EQ(CommandFor({"initiate", "--state", "-x"}), "wormhole-sync resume ./-x");
}

}  // namespace
}  // namespace wormhole::cli
