// The binary's log.
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/attach_client.h"
#include "tests/support/relay_process.h"

namespace wormhole::service_test {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RelayProcess;

constexpr char kTraceparent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

class RelayLogTest : public ::testing::Test {
 protected:
  void Start(const std::vector<std::string>& flags) {
    std::vector<std::string> args = {"--listen=127.0.0.1:0", "--store=memory"};
    args.insert(args.end(), flags.begin(), flags.end());
    relay_ = std::make_unique<RelayProcess>(args);
    channel_ = Connect(relay_->AwaitListening());
  }

  // One stream that posts and says goodbye.
  void Exchange() {
    AttachClient client(channel_, {{"traceparent", kTraceparent}});
    client.Send(OpenAllocate('a', 4));
    client.Receive();
    client.Send(Post(1, "twelve bytes"));
    client.ReceiveNews();
    client.Send(Close(rendezvous::v1::MOOD_LONELY));
    EXPECT_TRUE(client.Finish().ok());
  }

  // All of standard error, once the relay has stopped.
  std::string Stop() {
    relay_->Signal(SIGTERM);
    EXPECT_EQ(relay_->AwaitExit(), 0);
    return relay_->error();
  }

  std::unique_ptr<RelayProcess> relay_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(RelayLogTest, HasOneLineForEachStream) {
  Start({});
  Exchange();
  const std::string log = Stop();
  EXPECT_EQ(std::ranges::count(log, '\n'), 4) << log;
  // In no order: a client hears that its stream is over before the relay's line of it is written.
  for (const std::string line :
       {"info serving version=[0-9.]+ tls=false store=memory\n",
        "info stream ended app=example.com/test channel=4 purpose=allocate state=attached posts=1 "
        "bytes=12 messages=0 seconds=[0-9]+\\.[0-9]{3} end=OK mood=lonely "
        "client=127\\.0\\.0\\.0/24 trace_id=4bf92f3577b34da6a3ce929d0e0e4736 "
        "parent_id=00f067aa0ba902b7\n",
        "info draining; a second signal stops at once streams=[01] at_most=10s\n",
        "info stopped\n$"}) {
    EXPECT_THAT(log, ContainsRegex("20[0-9]{2}-[0-9-]+T[0-9:]+\\.[0-9]{3}Z " + line));
  }
}

// Also when a client does what makes libraries complain.
TEST_F(RelayLogTest, JsonIsOneObjectALine) {
  Start({"--log-format=json"});
  Exchange();
  {
    AttachRequest unreadable = OpenAllocate('a');
    unreadable.mutable_open()->set_app_id("\xff");
    AttachClient client(channel_);
    client.Send(unreadable);
    EXPECT_FALSE(client.Finish().ok());
  }
  std::istringstream lines(Stop());
  std::vector<std::string> messages;
  for (std::string line; std::getline(lines, line);) {
    const auto object = nlohmann::json::parse(line);
    messages.push_back(object["message"]);
    if (messages.back() != "stream ended" || object["purpose"] == "none") continue;
    EXPECT_EQ(object["app"], "example.com/test");
    EXPECT_EQ(object["channel"], 4);
    EXPECT_EQ(object["bytes"], 12);
    EXPECT_EQ(object["client"], "127.0.0.0/24");
    EXPECT_EQ(object["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
  }
  EXPECT_THAT(messages, ::testing::UnorderedElementsAre("serving", "stream ended", "stream ended",
                                                        "draining; a second signal stops at once",
                                                        "stopped"));
}

TEST_F(RelayLogTest, WithLevelWarnNothingIsSaidWhileAllIsWell) {
  Start({"--log-level=warn"});
  Exchange();
  EXPECT_EQ(Stop(), "");
}

TEST_F(RelayLogTest, WholeAddressesAreThereForTheAsking) {
  Start({"--log-addresses"});
  Exchange();
  EXPECT_THAT(Stop(), ContainsRegex(" client=127\\.0\\.0\\.1:[1-9][0-9]+ "));
}

TEST_F(RelayLogTest, RefusalsSayWhyAndRepeatNothing) {
  Start({});
  {
    AttachClient unknown(channel_);
    unknown.Send(OpenClaim('a', 77));
    EXPECT_FALSE(unknown.Finish().ok());
  }
  {
    AttachRequest hostile = OpenAllocate('a');
    hostile.mutable_open()->set_app_id("x\n2026-01-01T00:00:00.000Z info forged\x1b[2J");
    AttachClient malformed(channel_, {{"traceparent", "forged"}});
    malformed.Send(hostile);
    EXPECT_FALSE(malformed.Finish().ok());
  }
  const std::string log = Stop();
  EXPECT_THAT(log, HasSubstr("channel=77 purpose=claim state=none posts=0 bytes=0 messages=0"));
  EXPECT_THAT(log, HasSubstr("end=NOT_FOUND reason=never_allocated client="));
  EXPECT_THAT(log, HasSubstr("stream ended app_invalid=true purpose=allocate state=none"));
  EXPECT_THAT(log, HasSubstr("end=INVALID_ARGUMENT reason=malformed client="));
  EXPECT_THAT(log, Not(HasSubstr("forged")));
}

// A pipe holds 64 KiB, which is some 250 streams.
TEST_F(RelayLogTest, ALogThatNobodyReadsHoldsUpNobody) {
  Start({});
  constexpr int kStreams = 600;
  for (int i = 0; i < kStreams; ++i) {
    AttachClient client(channel_);
    client.Send(OpenClaim('a', 77));
    EXPECT_FALSE(client.Finish().ok());
  }
  Exchange();
  const std::string log = Stop();
  const auto ended = [&log](size_t from) { return log.find("stream ended", from); };
  int streams = 0;
  for (size_t at = ended(0); at != std::string::npos; at = ended(at + 1)) ++streams;
  EXPECT_EQ(streams, kStreams + 1);
}

}  // namespace
}  // namespace wormhole::service_test
