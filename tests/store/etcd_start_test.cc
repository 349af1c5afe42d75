// A store that is opened while etcd is away, and what becomes of it when etcd is there.
#include <chrono>
#include <future>
#include <memory>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/health/store_health.h"
#include "relay/server/ticker.h"
#include "relay/store/etcd/open.h"
#include "relay/store/steady_now.h"
#include "tests/store/etcd_relay.h"
#include "tests/support/etcd_server.h"
#include "tests/support/http_client.h"
#include "tests/support/reserved_port.h"
#include "tests/support/signal.h"

namespace wormhole::relay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::wormhole::testing::Collector;
using ::wormhole::testing::EtcdCluster;
using ::wormhole::testing::ReservedPort;

constexpr Role kInitiator = Role::kInitiator;
const ChannelKey kKey = {"example.com/app1", 7};

// A relay's store that ticks from the first, as a relay does whose etcd may be away.
class StartingRelay {
 public:
  explicit StartingRelay(std::vector<std::string> endpoints, EtcdServers user = {},
                         absl::Duration presence_ttl = EtcdOptions().presence_ttl) {
    EtcdOptions options{.servers = std::move(user), .relay_id = "starting", .clock = &clock_};
    options.presence_ttl = presence_ttl;
    options.servers.endpoints = std::move(endpoints);
    options.creation_patience = absl::Milliseconds(100);
    options.patience = absl::InfiniteDuration();  // which is for a store that has started
    options.on_started = [this](const absl::Status& status) { started_.set_value(status); };
    options.on_trouble = [this](const absl::Status& status) { troubles_.Add(status); };
    store_ = OpenEtcd(std::move(options));
    EXPECT_TRUE(store_->Start(&listener_).ok());
    ticker_ = std::make_unique<Ticker>(std::chrono::milliseconds(10), [this] { store_->Flush(); });
  }
  ~StartingRelay() {
    ticker_.reset();
    store_->StopTelling();
  }

  BlockingStore Call() { return BlockingStore(*store_); }
  NotingListener& listener() { return listener_; }
  RelayClock& clock() { return clock_; }
  // Why the attempts have failed so far, with OK when one has not; waits for so many.
  std::vector<absl::Status> AwaitTroubles(size_t count) { return troubles_.Await(count); }
  absl::Status AwaitStarted() { return has_started_.get(); }
  bool IsStarted() const {
    return has_started_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

 private:
  RelayClock clock_;
  NotingListener listener_;
  std::promise<absl::Status> started_;  // fails the test when it is told twice
  std::future<absl::Status> has_started_ = started_.get_future();
  Collector<absl::Status> troubles_;
  std::unique_ptr<EtcdStore> store_;
  std::unique_ptr<Ticker> ticker_;
};

// A relay that has its presence lease tells its clock with what it writes next, which need not be
// the first that somebody asked of it.
void AwaitClockOf(const std::string& relay_id, EtcdCluster& cluster) {
  const std::string key = EtcdKeys(EtcdOptions().prefix).Clock(relay_id);
  while (cluster.Control({"get", "--keys-only", key}).value() == "") {
  }
}

TEST(EtcdStartTest, RefusesUntilEtcdIsThereAndThenHasWhatItHas) {
  EtcdCluster cluster;
  EtcdRelay elder("elder", {.servers = {.endpoints = {cluster.endpoint(0)}}},
                  /*ahead=*/absl::Hours(2));
  elder.Call().Put(kKey, 0, Record("i"));
  AwaitClockOf("elder", cluster);
  cluster.Kill(0);
  StartingRelay relay({cluster.endpoint(0)});
  const absl::Status why = relay.AwaitTroubles(1)[0];
  EXPECT_TRUE(absl::IsUnavailable(why)) << why;
  EXPECT_THAT(why.ToString(), HasSubstr(cluster.endpoint(0)));
  EXPECT_EQ(why.message().find('\n'), absl::string_view::npos);
  EXPECT_TRUE(IsStoreAway(relay.Call().TryPut({"a", 1}, 0, Record("j")).status()));
  EXPECT_TRUE(IsStoreAway(relay.Call().TryAppend(kKey, 1, kInitiator, 1, "x").status()));
  EXPECT_EQ(relay.clock().state().offset, absl::ZeroDuration());
  cluster.Restart(0);
  EXPECT_EQ(relay.AwaitStarted(), absl::OkStatus());
  // By the elder's time, which it had before it answered anybody.
  EXPECT_GT(relay.clock().state().offset, absl::Hours(1));
  EXPECT_EQ(relay.Call().Put(kKey, 0, Record("k")), PutOutcome::kStale);
  EXPECT_EQ(relay.Call().Load(kKey)->record.member(kInitiator).side, Side("i"));
  EXPECT_TRUE(relay.listener().Find("taken 7"));
  EXPECT_THAT(relay.listener().notes(), Not(::testing::Contains("restored")));
  std::vector<absl::Status> troubles = relay.AwaitTroubles(2);
  while (!troubles.back().ok()) troubles = relay.AwaitTroubles(troubles.size() + 1);
  // And the watch goes on.
  elder.Call().Put({"a", 2}, 0, Record("m"));
  relay.listener().Await("taken 2");
}

// The elder may have told its time long ago, and be gone.
TEST(EtcdStartTest, RefusesUntilItsTimeIsSure) {
  EtcdCluster cluster;
  // Longer than anybody here may stand still.
  constexpr absl::Duration kPresenceTtl = absl::Seconds(30);
  EtcdRelay elder("elder",
                  {.servers = {.endpoints = {cluster.endpoint(0)}}, .presence_ttl = kPresenceTtl},
                  /*ahead=*/-absl::Hours(2));
  elder.Call().Put(kKey, 0, Record("i"));
  AwaitClockOf("elder", cluster);
  elder.Freeze();
  StartingRelay relay({cluster.endpoint(0)}, {}, kPresenceTtl);
  EXPECT_TRUE(IsStoreAway(relay.Call().TryAppend(kKey, 1, kInitiator, 1, "x").status()));
  elder.Tick();
  EXPECT_EQ(relay.AwaitStarted(), absl::OkStatus());
  EXPECT_LT(relay.clock().state().offset, -absl::Hours(1));
  EXPECT_EQ(relay.Call().Append(kKey, 1, kInitiator, 1, "x").outcome, AppendOutcome::kDone);
}

// How many transactions the node has carried out.
int Transactions(const std::string& endpoint) {
  static const std::regex kCount(
      R"(\ngrpc_server_handled_total\{grpc_code="OK",grpc_method="Txn",[^}]*\} ([0-9]+))");
  service_test::TcpClient client(endpoint);
  client.Send("GET /metrics HTTP/1.0\r\n\r\n");  // 1.1 would keep the connection
  const std::string page = client.ReadToEnd();
  std::smatch found;
  return std::regex_search(page, found, kCount) ? std::stoi(found[1]) : 0;
}

// Meanwhile the relay says why, and lets alone an etcd that has just come back. When etcd goes away
// again the time that the relay waits is over at some point, and etcd has to be there for all that.
TEST(EtcdStartTest, WaitsForASureTimeInQuietAndNotWithoutEtcd) {
  constexpr absl::Duration kPresenceTtl = absl::Seconds(10);
  EtcdCluster cluster;
  EtcdRelay elder(
      "elder", {.servers = {.endpoints = {cluster.endpoint(0)}}, .presence_ttl = absl::Minutes(1)},
      /*ahead=*/-absl::Hours(2));
  AwaitClockOf("elder", cluster);
  elder.Freeze();
  cluster.Kill(0);
  StartingRelay relay({cluster.endpoint(0)}, {}, kPresenceTtl);
  size_t count = relay.AwaitTroubles(1).size();
  cluster.Restart(0);
  while (!absl::StrContains(relay.AwaitTroubles(count).back().message(), "sure of the time")) {
    ++count;
  }
  const absl::Duration sure_at = SteadyNow() + 2 * kPresenceTtl;
  const int before = Transactions(cluster.endpoint(0));
  const absl::Duration quiet_until = SteadyNow() + absl::Seconds(1);
  while (SteadyNow() < quiet_until) relay.AwaitTroubles(++count);
  // Its own clock, once in a while.
  EXPECT_LT(Transactions(cluster.endpoint(0)) - before, 20);
  cluster.Pause(0);
  while (SteadyNow() < sure_at + absl::Seconds(1)) {
    EXPECT_FALSE(relay.AwaitTroubles(++count).back().ok());
  }
  EXPECT_FALSE(relay.IsStarted());
  cluster.Resume(0);
  EXPECT_EQ(relay.AwaitStarted(), absl::OkStatus());
}

TEST(EtcdStartTest, OneNodeOfThreeIsEnoughToSaySo) {
  EtcdCluster cluster;
  const ReservedPort nobody;
  const ReservedPort nobody_either;
  StartingRelay relay({nobody.host_port(), nobody_either.host_port(), cluster.endpoint(0)});
  EXPECT_EQ(relay.AwaitStarted(), absl::OkStatus());
  EXPECT_EQ(relay.Call().Put(kKey, 0, Record("i")), PutOutcome::kDone);
}

// It takes a majority to read what there is.
TEST(EtcdStartTest, ANodeWithoutALeaderIsNotEnough) {
  EtcdCluster cluster({.nodes = 3});
  cluster.Kill(1);
  cluster.Kill(2);
  StartingRelay relay({cluster.endpoint(0), cluster.endpoint(1), cluster.endpoint(2)});
  for (const absl::Status& trouble : relay.AwaitTroubles(4)) EXPECT_FALSE(trouble.ok());
  cluster.Start(1);
  EXPECT_EQ(relay.AwaitStarted(), absl::OkStatus());
}

// It takes the connection, and what it is asked.
TEST(EtcdStartTest, ANodeThatStandsStillIsWaitedFor) {
  EtcdCluster cluster;
  cluster.Pause(0);
  StartingRelay relay({cluster.endpoint(0)});
  EXPECT_FALSE(relay.AwaitTroubles(1)[0].ok());
  cluster.Resume(0);
  EXPECT_EQ(relay.AwaitStarted(), absl::OkStatus());
}

TEST(EtcdStartTest, WhatEtcdRefusesWhenItIsThereEndsTheWait) {
  EtcdCluster cluster({.root_password = "secret"});
  cluster.AddUser("relay", "word", "wormhole/");
  cluster.Kill(0);
  StartingRelay relay({cluster.endpoint(0)}, {.user = "relay", .password = "wrong"});
  EXPECT_TRUE(absl::IsUnavailable(relay.AwaitTroubles(1)[0]));
  cluster.Restart(0);
  const absl::Status why = relay.AwaitStarted();
  EXPECT_THAT(why.ToString(), HasSubstr("authentication failed"));
  EXPECT_EQ(why.message().find('\n'), absl::string_view::npos);
  EXPECT_TRUE(IsStoreAway(relay.Call().TryPut(kKey, 0, Record("i")).status()));
}

// Time goes by as fast as etcd is tried.
TEST(EtcdStartTest, AnEtcdThatIsNeverThereIsALineAMinute) {
  const ReservedPort nobody;
  StartingRelay relay({nobody.host_port()});
  constexpr size_t kAttempts = 13;
  absl::Time now = absl::FromUnixSeconds(1'000'000);
  StoreHealth health(now);
  std::vector<absl::Duration> lines;
  const std::vector<absl::Status> troubles = relay.AwaitTroubles(kAttempts);
  for (size_t i = 0; i < kAttempts; ++i) {
    const absl::Time at = now + absl::Seconds(10) * i;
    if (health.Note(troubles[i], at)) lines.push_back(at - now);
    EXPECT_FALSE(health.state().status.ok());
  }
  EXPECT_THAT(lines,
              ::testing::ElementsAre(absl::ZeroDuration(), absl::Minutes(1), absl::Minutes(2)));
}

}  // namespace
}  // namespace wormhole::relay
