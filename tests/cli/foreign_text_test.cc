// Every place where text that is not ours comes to a terminal, each tried with the same hostile
// text in three locales and three widths. Nothing but Console, WriteData and the question for the
// code writes to one; who adds a place adds a row.
#include <signal.h>

#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/testing/screen_model.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "tests/cli/fixture.h"
#include "wormhole/rendezvous/v1/rendezvous.grpc.pb.h"

namespace wormhole::testing {
namespace {

// Written over and over, so that it begins a row wherever a terminal breaks one itself.
constexpr char kForged[] = "wormhole-sync: forged";
// What a terminal obeys that reads UTF-8, and one that reads bytes.
constexpr char kCommands[] =
    "\xc3\x9b"
    "31m\xc2\x9b"
    "2J\x9b"
    "2J\x1b[2J\x1b]0;title\a\r\n\u202e";

std::string Padded(size_t bytes) {
  std::string text;
  for (size_t blanks = 1; text.size() + 40 < bytes; ++blanks) {
    absl::StrAppend(&text, std::string(blanks, ' '), kForged);
  }
  return text;
}

std::string Hostile(size_t bytes = 200) { return kCommands + Padded(bytes - sizeof(kCommands)); }

// Refuses everybody in its own words.
class RudeRelay : public rendezvous::v1::RendezvousService::Service {
 public:
  RudeRelay() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~RudeRelay() override { server_->Shutdown(); }

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

  grpc::Status Attach(
      grpc::ServerContext* /*context*/,
      grpc::ServerReaderWriter<rendezvous::v1::AttachResponse, rendezvous::v1::AttachRequest>*
      /*stream*/) override {
    const absl::Status refusal = error::Make(error::ErrorDetail::REASON_NOT_ALLOWED, Hostile());
    return {static_cast<grpc::StatusCode>(refusal.code()), Hostile(), error::ToEnvelope(refusal)};
  }

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

struct View {
  const char* locale;
  unsigned columns;
};

void PrintTo(const View& view, std::ostream* out) { *out << view.locale << " " << view.columns; }

class ForeignTextTest : public CliTest, public ::testing::WithParamInterface<View> {
 protected:
  ForeignTextTest() : CliTest({"--motd=\u00db31m\u202e\u6f22" + Padded(600)}) {}

  std::unique_ptr<TerminalChild> StartHere(Words words, Words environment = {}) {
    words.insert(words.begin(), ToolPath());
    environment.push_back(absl::StrCat("LC_ALL=", GetParam().locale));
    return std::make_unique<TerminalChild>(TerminalChild::Options{
        .arguments = words, .environment = environment, .columns = GetParam().columns});
  }

  // What a person would see is ours, and what is not says so.
  static void Examine(const std::string& place, const std::string& output) {
    SCOPED_TRACE(place);
    const bool utf8 = std::string(GetParam().locale) == "C.UTF-8";
    for (char c : output) EXPECT_TRUE(utf8 || static_cast<unsigned char>(c) < 0x80);
    cli::ScreenModel screen(GetParam().columns);
    screen.Write(output);
    EXPECT_FALSE(screen.confused()) << output;
    bool theirs = false;
    for (const std::string& row : screen.Rows()) {
      EXPECT_FALSE(!theirs && absl::StartsWith(row, kForged)) << row;
      EXPECT_FALSE(!theirs && absl::StartsWith(row, " wormhole")) << row;
      const bool marked = absl::StartsWith(row, "wormhole-sync: ") ||
                          absl::StartsWith(row, "  | ") || absl::StartsWith(row, "    ") ||
                          absl::StartsWith(row, "The relay says: ") ||
                          absl::StartsWith(row, "Code");
      EXPECT_TRUE(theirs || marked || !absl::StrContains(row, "forged")) << row;
      theirs |= absl::StrContains(row, "the other side says:");
    }
  }
};

// --- What fails before an exchange -------------------------------------------------------------

struct Refused {
  const char* place;
  Words words;
  Words environment = {};
};

TEST_P(ForeignTextTest, ArgumentsFilesAndTheEnvironment) {
  const std::string text = Hostile();
  for (const Refused& row : {
           Refused{"a command", {text}},
           Refused{"an option", {"initiate", "--" + text}},
           Refused{"an argument too many", {"initiate", text}},
           Refused{"a code", {"receive", text}},
           Refused{"a word of a code", {"receive", "4-able-" + std::string(15, 'q')}},
           Refused{"an app-id", {"initiate", "--app-id", text}},
           Refused{"a duration", {"initiate", "--timeout", text}},
           Refused{"a schedule", {"initiate", "--schedule", text}},
           Refused{"--rendezvous", {"initiate", "--data=a", "--rendezvous", text}},
           Refused{
               "WORMHOLE_RENDEZVOUS", {"initiate", "--data=a"}, {"WORMHOLE_RENDEZVOUS=" + text}},
           Refused{"a proxy",
                   {"initiate", "--data=a", "--timeout=1s", "--rendezvous=relay.invalid:1"},
                   {"https_proxy=" + text, "http_proxy=" + text}},
           Refused{"--file", {"initiate", "--file", text}},
           Refused{"--tls-ca", {"initiate", "--data=a", "--tls-ca", text}},
           Refused{"--bearer-token-file", {"initiate", "--data=a", "--bearer-token-file", text}},
           Refused{"--state", {"initiate", "--data=a", "--state", text + "/x"}},
           Refused{"a state file", {"resume", text}},
       }) {
    auto tool = StartHere(row.words, row.environment);
    EXPECT_NE(tool->WaitForExit(), 0) << row.place;
    EXPECT_NE(tool->screen(), "") << row.place;
    Examine(row.place, tool->screen());
  }
}

// --- What is asked ------------------------------------------------------------------------------

TEST_P(ForeignTextTest, WhatIsPastedAtTheQuestion) {
  auto tool = StartHere({"receive", "--data=b"});
  ASSERT_TRUE(tool->WaitFor("Code"));
  tool->Press(
      absl::StrCat("\xc3\x9b"
                   "31m\xc2\x9b"
                   "2J\x9b"
                   "2J\u202e",
                   Padded(150), "\r\x04"));
  EXPECT_EQ(tool->WaitForExit(), 8);
  Examine("a code that is pasted", tool->screen());
}

// --- What comes from the network ----------------------------------------------------------------

TEST_P(ForeignTextTest, TheRelaysMessageAndTheOtherSidesData) {
  auto initiator = Start(WithRelay({"initiate"}), Hostile(1000));
  auto receiver = StartHere(WithRelay({"receive", CodeOf(*initiator), "--data=b"}));
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->screen();
  EXPECT_EQ(initiator->WaitForExit(), 0);
  EXPECT_THAT(receiver->screen(), ::testing::HasSubstr("The relay says: "));
  Examine("motd and data", receiver->screen());
}

TEST_P(ForeignTextTest, ARefusalInTheRelaysWords) {
  RudeRelay relay;
  auto tool = StartHere({"receive", "4-able-zoo", "--data=b", "--rendezvous", relay.address()});
  EXPECT_EQ(tool->WaitForExit(), 5) << tool->screen();
  EXPECT_THAT(tool->screen(), ::testing::HasSubstr("forged"));
  Examine("a refusal", tool->screen());
}

TEST_P(ForeignTextTest, AnAppIdInAFailure) {
  const std::string app = "x" + Padded(200) + "\u6f22";
  auto tool = StartHere(WithRelay({"receive", "7-able-zoo", "--data=b", "--app-id", app}));
  EXPECT_EQ(tool->WaitForExit(), 7) << tool->screen();
  EXPECT_THAT(tool->screen(), ::testing::HasSubstr("forged"));
  Examine("an app-id", tool->screen());
}

TEST_P(ForeignTextTest, AStateFilesNameInTheCommandToGoOn) {
  const std::string state = PathOf(Padded(120) + "\x1b[2J\xc3\x9b");
  auto tool = StartHere(WithRelay({"initiate", "--data=a", "--state", state}));
  ASSERT_TRUE(tool->WaitFor("Invitation code: ")) << tool->screen();
  tool->Press("\x03");
  EXPECT_EQ(tool->WaitForExit(), 8) << tool->screen();
  EXPECT_THAT(tool->screen(), ::testing::HasSubstr("the state is kept"));
  Examine("the command to go on", tool->screen());
}

std::vector<View> Views() {
  std::vector<View> views;
  for (const char* locale : {"C", "C.UTF-8", "en_US.ISO-8859-1"}) {
    for (const unsigned columns : {40u, 80u, 200u}) views.push_back({locale, columns});
  }
  return views;
}

INSTANTIATE_TEST_SUITE_P(Views, ForeignTextTest, ::testing::ValuesIn(Views()));

}  // namespace
}  // namespace wormhole::testing
