// --tokens-file over real gRPC: who may allocate and claim, and a file that changes under a running
// relay.
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "tests/relay/relay_server_fixture.h"
#include "tests/support/attach_client.h"
#include "tests/support/child_process.h"
#include "tests/support/relay_process.h"
#include "tests/support/temp_folder.h"

namespace wormhole::service_test {
namespace {

using ::testing::AllOf;
using testing::ChildProcess;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using testing::RelayProcess;

// As make-token makes them, and as `printf %s TOKEN | sha256sum` has them.
constexpr char kAlice[] = "AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw";
constexpr char kAliceHash[] =
    "sha256:51cb61d02f8e71875ce2cf094ffa372e597b2ac7e9365a589b039b9b31fcf540";
constexpr char kBob[] = "BQwTGiEoLzY9REtSWWBnbnV8g4qRmJ-mrbS7wsnQ194";
constexpr char kBobHash[] =
    "sha256:499df3e54ad73d821085f2ff9652bd30a7bb84508fec2dd9b8ea6c25a40e9e3c";

using Headers = std::map<std::string, std::string>;

Headers Bearing(const std::string& token) { return {{"authorization", "Bearer " + token}}; }

// As a renewed Secret of Kubernetes: the file is a link through ..data, which a rename replaces.
class TokensSecret {
 public:
  explicit TokensSecret(const std::string& text) {
    Write(text);
    std::filesystem::create_symlink("..data/tokens", path());
  }

  void Write(const std::string& text) {
    const std::string name = "..version" + std::to_string(++version_);
    std::filesystem::create_directory(folder_.File(name));
    std::ofstream(folder_.File(name + "/tokens")) << text;
    std::filesystem::create_directory_symlink(name, folder_.File("..data_tmp"));
    std::filesystem::rename(folder_.File("..data_tmp"), folder_.File("..data"));
    std::filesystem::remove_all(folder_.File("..version" + std::to_string(version_ - 1)));
  }

  std::string path() const { return folder_.File("tokens"); }

 private:
  const testing::TempFolder folder_;
  int version_ = 0;
};

// "" when the stream was opened, else how it ended: code, reason.
std::string Try(const std::shared_ptr<grpc::Channel>& channel, const AttachRequest& request,
                const Headers& headers) {
  AttachClient client(channel, headers);
  client.Send(request);
  const auto response = client.Receive();
  if (response) return response->has_opened() ? "" : "no Opened";
  const absl::Status status = client.Finish();
  const auto detail = error::DetailOf(status);
  return absl::StatusCodeToString(status.code()) +
         (detail ? " " + error::ErrorDetail::Reason_Name(detail->reason()) : "");
}

class TokensTest : public RelayServerTest {
 protected:
  TokensTest() {
    config_.tokens_file = secret_.path();
    // Tests that wait for a file try as often as they can.
    config_.max_stream_opens_per_minute = 0;
    config_.max_allocations_per_minute = 0;
    config_.max_claims_per_minute = 0;
    config_.max_failed_claims_per_minute = 0;
  }

  static std::string Grants() {
    return "# Alice runs the app, Bob is one of its users.\n" + std::string(kAliceHash) +
           " allocate,claim example.com/*\n" + kBobHash + " claim example.com/test\n";
  }

  std::string Try(const AttachRequest& request, const Headers& headers = {}) {
    return service_test::Try(channel_, request, headers);
  }

  // Until it ends so, since the relay looks at the file about once a second.
  void AwaitTry(const std::string& ending, const Headers& headers) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    char side = 'A';
    while (Try(OpenAllocate(side++), headers) != ending) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << ending;
    }
  }

  TokensSecret secret_{Grants()};
};

TEST_F(TokensTest, AreForTheirUseAndTheirAppIds) {
  Serve();
  AttachClient alice(channel_, Bearing(kAlice));
  alice.Send(OpenAllocate('a'));
  const uint32_t id = alice.Receive()->opened().channel_id();
  EXPECT_EQ(Try(OpenAllocate('b'), Bearing(kBob)), "PERMISSION_DENIED REASON_NOT_ALLOWED");
  AttachRequest elsewhere = OpenClaim('b', id);
  elsewhere.mutable_open()->set_app_id("example.com/app2");
  EXPECT_EQ(Try(elsewhere, Bearing(kBob)), "PERMISSION_DENIED REASON_NOT_ALLOWED");
  EXPECT_EQ(Try(elsewhere, Bearing(kAlice)), "NOT_FOUND REASON_NEVER_ALLOCATED");
  EXPECT_EQ(Try(OpenClaim('b', id), Bearing(kBob)), "");
}

TEST_F(TokensTest, MissingAndWrongOnesAreUnauthenticated) {
  Serve();
  for (const Headers& headers :
       {Headers(), Bearing("wrong"), Bearing(std::string(kAlice) + "a"), Bearing(""),
        Headers{{"authorization", kAlice}}, Headers{{"authorization", "Basic YWxpY2U6eA=="}},
        Headers{{"authentication", std::string("Bearer ") + kAlice}}}) {
    EXPECT_EQ(Try(OpenAllocate('a'), headers), "UNAUTHENTICATED REASON_NOT_ALLOWED");
    EXPECT_EQ(Try(OpenClaim('b', 7), headers), "UNAUTHENTICATED REASON_NOT_ALLOWED");
    EXPECT_EQ(Try(OpenClaim('b', 7, /*wait=*/true), headers), "UNAUTHENTICATED REASON_NOT_ALLOWED");
  }
  EXPECT_EQ(Try(OpenAllocate('a'), {{"authorization", std::string("bearer  ") + kAlice}}), "");
}

TEST_F(TokensTest, ResumingHealthAndReflectionTakeNone) {
  config_.reflection = true;
  Serve();
  AttachClient first(channel_, Bearing(kAlice));
  first.Send(OpenAllocate('a'));
  const uint32_t id = first.Receive()->opened().channel_id();
  EXPECT_EQ(Try(OpenResume('a', id)), "");
  EXPECT_EQ(Try(OpenResume('b', id)), "PERMISSION_DENIED REASON_NOT_MEMBER");
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckResponse response;
  EXPECT_TRUE(grpc::health::v1::Health::NewStub(channel_)
                  ->Check(&context, grpc::health::v1::HealthCheckRequest(), &response)
                  .ok());
}

TEST_F(TokensTest, ARenewedFileCountsAndStreamsGoOn) {
  Serve();
  AttachClient running(channel_, Bearing(kAlice));
  running.Send(OpenAllocate('a'));
  const uint32_t id = running.Receive()->opened().channel_id();
  secret_.Write(std::string(kBobHash) + " allocate *\n");
  AwaitTry("", Bearing(kBob));
  EXPECT_EQ(Try(OpenAllocate('c'), Bearing(kAlice)), "UNAUTHENTICATED REASON_NOT_ALLOWED");
  running.Send(Post(1, "still here"));
  EXPECT_EQ(running.ReceiveNews()->posted().number(), 1u);
  EXPECT_EQ(Try(OpenResume('a', id), Bearing(kAlice)), "") << "withdrawn, and a member";
}

TEST_F(TokensTest, NoTokensFileAsksNobody) {
  config_.tokens_file = "";
  Serve();
  EXPECT_EQ(Try(OpenAllocate('a')), "");
  EXPECT_EQ(Try(OpenAllocate('b'), Bearing("anything")), "");
}

TEST_F(TokensTest, AnyoneMayClaim) {
  secret_.Write(Grants() + "anyone claim example.com/*\n");
  Serve();
  AttachClient alice(channel_, Bearing(kAlice));
  alice.Send(OpenAllocate('a'));
  const uint32_t id = alice.Receive()->opened().channel_id();
  EXPECT_EQ(Try(OpenAllocate('b')), "UNAUTHENTICATED REASON_NOT_ALLOWED");
  EXPECT_EQ(Try(OpenClaim('b', id)), "");
}

class TokensProcessTest : public ::testing::Test {
 protected:
  static std::string Run(const std::string& script) {
    ChildProcess shell({.arguments = {"/bin/sh", "-c", script}});
    EXPECT_EQ(shell.WaitForExit(), 0) << shell.err();
    return shell.out();
  }

  // At once: the relay may look in between.
  void Write(const std::string& text) {
    std::ofstream(file_ + ".new") << text;
    std::filesystem::rename(file_ + ".new", file_);
  }

  testing::TempFolder folder_;
  const std::string file_ = folder_.File("tokens");
};

TEST_F(TokensProcessTest, WhatTheCommandsMakeLetsIn) {
  const std::string token_file = folder_.File("alice.token");
  EXPECT_EQ(Run("relay/wormhole-relay make-token | tee " + token_file +
                " | relay/wormhole-relay hash-token allocate 'example.com/*' >>" + file_),
            "");
  std::string token;
  std::ifstream(token_file) >> token;
  EXPECT_EQ(token.size(), 43u);
  RelayProcess relay({"--tokens-file=" + file_, "--listen=127.0.0.1:0", "--store=memory"});
  const auto channel = Connect(relay.AwaitListening());
  EXPECT_EQ(Try(channel, OpenAllocate('a'), Bearing(token)), "");
  EXPECT_EQ(Try(channel, OpenClaim('b', 1), Bearing(token)),
            "PERMISSION_DENIED REASON_NOT_ALLOWED");
  EXPECT_EQ(Try(channel, OpenAllocate('a'), {}), "UNAUTHENTICATED REASON_NOT_ALLOWED");
  EXPECT_EQ(relay.Stop(), 0);
  EXPECT_THAT(relay.error(),
              AllOf(HasSubstr("the tokens file was read"), HasSubstr("tokens=1"),
                    HasSubstr("end=UNAUTHENTICATED reason=not_allowed"), Not(HasSubstr(token))));
  EXPECT_THAT(relay.error(), Not(HasSubstr("in plaintext"))) << "it listens on loopback";
  EXPECT_THAT(relay.output(), Not(HasSubstr(token)));
}

TEST_F(TokensProcessTest, AMistakeAtTheStartIsOneLineBeforeAnythingIsServed) {
  Write(std::string(kAliceHash) + " allocate *\n" + kAlice + " claim *\n");
  const std::vector<std::string> flags = {"--tokens-file=" + file_, "--listen=127.0.0.1:0",
                                          "--store=memory"};
  RelayProcess bad_line(flags);
  EXPECT_EQ(bad_line.AwaitExit(), 1);
  EXPECT_EQ(bad_line.output(), "");
  EXPECT_EQ(bad_line.error(),
            "wormhole-relay: --tokens-file=" + file_ +
                ":2: a line begins with anyone, or with a token as "
                "`wormhole-relay hash-token` writes it: sha256: and 64 hex digits\n");
  Write("# nobody\n");
  RelayProcess nobody(flags);
  EXPECT_EQ(nobody.AwaitExit(), 1);
  EXPECT_EQ(nobody.error(), "wormhole-relay: --tokens-file=" + file_ +
                                ": has no line with a token: nobody could allocate or claim\n");
  RelayProcess empty({"--tokens-file="});
  EXPECT_EQ(empty.AwaitExit(), 2);
  EXPECT_THAT(empty.error(), HasSubstr("--tokens-file=: should be the path of a file"));
}

TEST_F(TokensProcessTest, ABrokenFileKeepsTheOldAndIsLoggedOnce) {
  Write(std::string(kAliceHash) + " allocate *\n");
  RelayProcess relay({"--tokens-file=" + file_, "--listen=127.0.0.1:0", "--store=memory"});
  const auto channel = Connect(relay.AwaitListening());
  Write(std::string(kBob) + " allocate *\n");
  EXPECT_TRUE(relay.AwaitError("the tokens file cannot be used"));
  EXPECT_EQ(Try(channel, OpenAllocate('a'), Bearing(kAlice)), "");
  EXPECT_EQ(Try(channel, OpenAllocate('b'), Bearing(kBob)), "UNAUTHENTICATED REASON_NOT_ALLOWED");
  Write(std::string(kBobHash) + " allocate *\n" + kBobHash + " claim *\n");
  EXPECT_TRUE(relay.AwaitError("tokens=2"));
  EXPECT_EQ(Try(channel, OpenAllocate('b'), Bearing(kBob)), "");
  EXPECT_EQ(relay.Stop(), 0);
  const std::string& log = relay.error();
  const std::string broken = "the tokens file cannot be used";
  EXPECT_EQ(log.find(broken), log.rfind(broken)) << log;
  EXPECT_THAT(log, AllOf(Not(HasSubstr(kAlice)), Not(HasSubstr(kBob))));
}

TEST_F(TokensProcessTest, PlaintextBeyondLoopbackIsWarnedOf) {
  Write(std::string(kAliceHash) + " allocate *\n");
  RelayProcess relay({"--tokens-file=" + file_, "--listen=0.0.0.0:0", "--store=memory"});
  EXPECT_NE(relay.AwaitListening(), "");
  EXPECT_EQ(relay.Stop(), 0);
  EXPECT_THAT(relay.error(), HasSubstr("bearer tokens come in plaintext"));
}

TEST_F(TokensProcessTest, ATokenThatSomebodyThoughtOfIsNotHashed) {
  ChildProcess shell({.arguments = {"relay/wormhole-relay", "hash-token"}, .input = "letmein\n"});
  EXPECT_EQ(shell.WaitForExit(), 2);
  EXPECT_EQ(shell.out(), "");
  EXPECT_THAT(shell.err(), MatchesRegex("wormhole-relay: this is no token of .*\n"));
  EXPECT_THAT(shell.err(), Not(HasSubstr("letmein")));
}

}  // namespace
}  // namespace wormhole::service_test
