// Fault 6: haproxy and nginx between the sides and the relay, with an idle timeout of 5 seconds,
// and a receiver that comes later than that.
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/faults/checker.h"
#include "tests/faults/front_proxy.h"
#include "tests/faults/one_exchange.h"
#include "tests/faults/scene.h"

namespace wormhole::faults {
namespace {

constexpr int kIdleSeconds = 5;

// What the initiator saw from when it was with the relay until its exchange was over. haproxy 2.6
// shows the relay's answer to Close as CANCELLED, with its details, since the relay ends a stream
// that the client has not; the client then asks once more.
struct Waited {
  int streams = 0;
  std::vector<std::string> ends;  // the status codes that streams were cut with
};

class IdleProxyTest : public ::testing::TestWithParam<FrontProxy::Kind> {
 protected:
  void SetUp() override {
    if (FrontProxy::Exists(GetParam())) return;
    GTEST_SKIP() << FrontProxy::NameOf(GetParam()) << " is not installed";
  }

  // An exchange whose receiver comes two seconds after the proxy's patience.
  Waited RunThrough(const char* heartbeat) {
    testing::TempFolder folder;
    Scene scene(
        {.relays = {{.store = "memory", .flags = {absl::StrCat("--heartbeat=", heartbeat)}}}});
    FrontProxy proxy(GetParam(), folder.path(), scene.relay().address(), kIdleSeconds);
    RunExchange({.name = "waiting",
                 .initiators_relay = proxy.address(),
                 .receivers_relay = proxy.address(),
                 .receiver_after = absl::Seconds(kIdleSeconds + 2),
                 .timeout = absl::Minutes(1)},
                scene.initiators(), scene.receivers());
    const std::string told = proxy.Stop();
    Waited waited = Read(scene.folder().File("initiators.log"));
    scene.ExpectAllFinished(
        absl::StrCat(FrontProxy::NameOf(GetParam()), ", heartbeat ", heartbeat, ", streams ",
                     waited.streams, ", ends seen ", absl::StrJoin(waited.ends, " ")),
        1);
    if (HasFailure()) std::cout << told << std::endl;
    return waited;
  }

 private:
  static Waited Read(const std::string& log) {
    Waited waited;
    bool opened = false;
    for (const LogLine& line : ReadLogs({log})) {
      if (line.words.at(2) == "close") break;
      if (line.words[2] == "opened" && !std::exchange(opened, true)) waited = {.streams = 1};
      if (line.words[2] == "open") ++waited.streams;
      if (line.words[2] == "end") waited.ends.push_back(line.words.at(3));
    }
    return waited;
  }
};

TEST_P(IdleProxyTest, HeartbeatsKeepAWaitingStream) {
  // Once will do: a machine that stands still keeps back heartbeats, too.
  Waited waited = RunThrough("2s");
  for (int more = 0; more < 2 && waited.streams != 1; ++more) waited = RunThrough("2s");
  EXPECT_EQ(waited.streams, 1);
  EXPECT_TRUE(waited.ends.empty());
}

TEST_P(IdleProxyTest, AStreamThatTheProxyCutsIsMadeAgain) {
  const Waited waited = RunThrough("20s");
  EXPECT_GE(waited.streams, 2);
  EXPECT_FALSE(waited.ends.empty());
}

INSTANTIATE_TEST_SUITE_P(Proxies, IdleProxyTest,
                         ::testing::Values(FrontProxy::Kind::kHaproxy, FrontProxy::Kind::kNginx),
                         [](const auto& info) { return FrontProxy::NameOf(info.param); });

}  // namespace
}  // namespace wormhole::faults
