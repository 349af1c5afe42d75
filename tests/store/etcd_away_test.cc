// What becomes of calls while etcd is away, elects a leader, or has forgotten its history.
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/etcd_relay.h"
#include "tests/support/etcd_server.h"

namespace wormhole::relay {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::wormhole::testing::EtcdCluster;

constexpr Role kInitiator = Role::kInitiator;
const ChannelKey kKey = {"example.com/app1", 7};

// Calls wait for etcd, but for what a test is about.
EtcdOptions OptionsFor(const EtcdCluster& cluster) {
  EtcdOptions options;
  options.patience = options.creation_patience = absl::InfiniteDuration();
  for (int node = 0; node < cluster.size(); ++node) {
    options.servers.endpoints.push_back(cluster.endpoint(node));
  }
  return options;
}

// Until the relay has told of its clock.
void AwaitClock(const EtcdCluster& cluster, const std::string& relay) {
  const std::string key = EtcdKeys(EtcdOptions().prefix).Clock(relay);
  while (cluster.Control({"get", "--keys-only", key}).value() == "") {
  }
}

// A call whose answer is waited for later.
template <typename T, typename Start>
std::future<absl::StatusOr<T>> Begin(Store& store, Start start) {
  auto answer = std::make_shared<std::promise<absl::StatusOr<T>>>();
  start([answer](absl::StatusOr<T> result) { answer->set_value(std::move(result)); });
  store.Flush();
  return answer->get_future();
}

std::future<absl::StatusOr<AppendResult>> BeginAppend(EtcdRelay& relay, uint64_t number) {
  return Begin<AppendResult>(relay.store(), [&](auto done) {
    relay.store().Append(kKey, 1, kInitiator, number, "x", std::move(done));
  });
}

std::future<absl::StatusOr<std::optional<ChannelSnapshot>>> BeginLoad(EtcdRelay& relay) {
  return Begin<std::optional<ChannelSnapshot>>(relay.store(), [&](auto done) {
    relay.store().Load({"a", 1}, std::move(done));
  });
}

TEST(EtcdAwayTest, APostWaitsAndANewChannelDoesNot) {
  EtcdCluster cluster;
  EtcdOptions options = OptionsFor(cluster);
  options.creation_patience = EtcdOptions().creation_patience;
  EtcdRelay relay("one", std::move(options));
  while (!relay.Call().TryPut(kKey, 0, Record("i")).ok()) {
  }
  cluster.Kill(0);
  auto append = BeginAppend(relay, 1);
  const auto created = relay.Call().TryPut({"a", 1}, 0, Record("j"));
  EXPECT_TRUE(IsStoreAway(created.status())) << created.status();
  cluster.Restart(0);
  const auto appended = append.get();
  ASSERT_TRUE(appended.ok()) << appended.status();
  EXPECT_THAT(*appended, Appended(AppendOutcome::kDone, LogState{.stored = 1, .bytes = 1}));
}

TEST(EtcdAwayTest, PatienceEnds) {
  EtcdCluster cluster;
  EtcdOptions options = OptionsFor(cluster);
  options.patience = absl::Milliseconds(200);
  EtcdRelay relay("one", std::move(options));
  relay.Call().Put(kKey, 0, Record("i"));
  cluster.Kill(0);
  EXPECT_TRUE(IsStoreAway(BeginAppend(relay, 1).get().status()));
  cluster.Restart(0);
  while (!BeginAppend(relay, 1).get().ok()) {
  }
}

// Nobody comes to a relay that is not ready, and so nothing of theirs shows that etcd is back.
TEST(EtcdAwayTest, WhenNothingIsLeftToDoEtcdIsFoundAgain) {
  EtcdCluster cluster;
  EtcdOptions options = OptionsFor(cluster);
  options.patience = absl::Milliseconds(200);
  StoreReadiness health;
  options.on_trouble = [&health](const absl::Status& status) { health.Note(status.ok()); };
  EtcdRelay relay("one", std::move(options));
  relay.Call().Put(kKey, 0, Record("i"));  // with a lease for presence
  cluster.Kill(0);
  EXPECT_TRUE(IsStoreAway(BeginLoad(relay).get().status()));
  health.AwaitAway();
  cluster.Restart(0);
  health.AwaitBack();
}

TEST(EtcdAwayTest, ARelayWithNothingToDoNotices) {
  EtcdCluster cluster;
  EtcdOptions options = OptionsFor(cluster);
  StoreReadiness health;
  options.on_trouble = [&health](const absl::Status& status) { health.Note(status.ok()); };
  EtcdRelay relay("one", std::move(options));
  for (int round = 0; round < 2; ++round) {
    cluster.Kill(0);
    health.AwaitAway();
    cluster.Restart(0);
    health.AwaitBack();
  }
}

// By the renewal of its presence, which is earlier than gRPC's pings.
TEST(EtcdAwayTest, ARelayWithNothingToDoNoticesSilence) {
  EtcdCluster cluster;
  EtcdOptions options = OptionsFor(cluster);
  options.presence_ttl = absl::Seconds(3);
  StoreReadiness health;
  options.on_trouble = [&health](const absl::Status& status) { health.Note(status.ok()); };
  EtcdRelay relay("one", std::move(options));
  relay.Call().Put(kKey, 0, Record("i"));
  cluster.Pause(0);
  health.AwaitAway();
  cluster.Resume(0);
  health.AwaitBack();
}

// A node that answers nothing, as one behind a cable that was cut.
TEST(EtcdAwayTest, ASilentNodeIsLeftForAnother) {
  EtcdCluster cluster({.nodes = 3});
  EtcdOptions options = OptionsFor(cluster);
  EtcdRelay relay("one", std::move(options));
  relay.Call().Put(kKey, 0, Record("i"));
  for (int node = 0; node < 3; ++node) {
    cluster.Pause(node);
    const auto appended = BeginAppend(relay, static_cast<uint64_t>(node) + 1).get();
    ASSERT_TRUE(appended.ok()) << appended.status();
    EXPECT_EQ(appended->outcome, AppendOutcome::kDone);
    cluster.Resume(node);
  }
}

TEST(EtcdAwayTest, AKilledLeaderLosesNothing) {
  EtcdCluster cluster({.nodes = 3});
  EtcdOptions options = OptionsFor(cluster);
  EtcdRelay one("one", options);
  EtcdRelay two("two", options);
  one.Call().Put(kKey, 0, Record("i"));
  two.Call().Load(kKey);
  uint64_t number = 0;
  for (int round = 0; round < 3; ++round) {
    auto before = BeginAppend(one, ++number);
    const int leader = cluster.leader();
    cluster.Kill(leader);
    auto after = BeginAppend(one, ++number);
    EXPECT_EQ(before.get()->outcome, AppendOutcome::kDone);
    EXPECT_EQ(after.get()->outcome, AppendOutcome::kDone);
    // The watch goes on where it was, at another node.
    two.listener().Await("log 7 i stored " + std::to_string(number) + " accepted 0 frame " +
                         std::to_string(number) + " x");
    cluster.Restart(leader);
  }
  EXPECT_EQ(two.Call().Load(kKey)->log(kInitiator).stored, number);
}

TEST(EtcdAwayTest, ACompactedHistoryIsCaughtUpWith) {
  EtcdCluster cluster;
  EtcdRelay one("one", OptionsFor(cluster));
  EtcdRelay two("two", OptionsFor(cluster));
  one.Call().Put(kKey, 0, Record("i"));
  one.Call().Put({"a", 1}, 0, Record("j"));
  two.listener().Await("taken 1");
  two.Freeze();  // its watch ends, and is not begun again
  cluster.Kill(0);
  cluster.Restart(0);
  while (!BeginAppend(one, 1).get().ok()) {
  }
  EXPECT_EQ(one.Call().Erase({"a", 1}, 1), PutOutcome::kDone);
  one.Call().Put({"a", 2}, 0, Record("k"));
  cluster.Compact();
  two.Tick();
  two.listener().Await("gap");
  EXPECT_THAT(two.listener().notes(), Contains("free 1"));
  EXPECT_THAT(two.listener().notes(), Contains("taken 2"));
  EXPECT_THAT(two.listener().notes(), Not(Contains("restored")));
  // And the watch goes on.
  EXPECT_EQ(two.Call().Load(kKey)->log(kInitiator).stored, 1u);
  BeginAppend(one, 2).get().IgnoreError();
  two.listener().Await("log 7 i stored 2 accepted 0 frame 2 x");
}

// Sides that wait make no events, and what was the last one is compacted in time.
TEST(EtcdAwayTest, ARestartAfterAQuietTimeIsNoRestoring) {
  EtcdCluster cluster;
  EtcdOptions options = OptionsFor(cluster);
  options.presence_ttl = absl::Hours(1);  // nor do clocks, for a while
  EtcdRelay one("one", options);
  EtcdRelay two("two", options);
  AwaitClock(cluster, "one");
  AwaitClock(cluster, "two");
  one.Call().Put(kKey, 0, Record("i"));
  one.Call().Put({"a", 1}, 0, Record("j"));
  EXPECT_EQ(one.Call().Erase({"a", 1}, 1), PutOutcome::kDone);
  two.listener().Await("free 1");
  cluster.Compact();
  cluster.Restart(0);
  two.listener().Await("gap");
  while (!BeginAppend(one, 1).get().ok()) {
  }
  for (EtcdRelay* relay : {&one, &two}) {
    EXPECT_EQ(relay->Call().Load(kKey)->log(kInitiator).stored, 1u);
    EXPECT_THAT(relay->listener().notes(), Not(Contains("restored")));
  }
}

// etcd forgets a lease that was revoked, or that has run out while a relay stood still.
TEST(EtcdAwayTest, LostLeasesAreGrantedAgain) {
  EtcdCluster cluster;
  EtcdRelay relay("one", OptionsFor(cluster));
  relay.Call().Put(kKey, 0, Record("i"));
  const std::string leases = cluster.Control({"lease", "list"}).value();
  size_t begin = leases.find('\n') + 1;
  while (begin < leases.size()) {
    const size_t end = leases.find('\n', begin);
    ASSERT_TRUE(cluster.Control({"lease", "revoke", leases.substr(begin, end - begin)}).ok());
    begin = end + 1;
  }
  EXPECT_EQ(relay.Call().Load(kKey), std::nullopt);  // gone with its lease
  const absl::Time began = absl::Now();
  EXPECT_EQ(relay.Call().Put(kKey, 0, Record("i")), PutOutcome::kDone);
  // At the next try, and not when another channel would have had another lease.
  EXPECT_LT(absl::Now() - began, absl::Minutes(1));
}

TEST(EtcdAwayTest, ChannelsOfTheSameTimeShareALease) {
  EtcdCluster cluster;
  EtcdRelay relay("one", OptionsFor(cluster));
  AwaitClock(cluster, "one");
  for (uint32_t id = 1; id <= 50; ++id) {
    relay.Call().Put({"a", id}, 0, Record("i" + std::to_string(id), "", static_cast<int>(id)));
  }
  const std::string leases = cluster.Control({"lease", "list"}).value();
  EXPECT_THAT(leases, HasSubstr("found 2 leases"));  // one is the relay's own
}

TEST(EtcdAwayTest, WhatWaitsGoesInOneTransaction) {
  EtcdCluster cluster;
  EtcdRelay relay("one", OptionsFor(cluster));
  constexpr uint32_t kChannels = 100;
  for (uint32_t id = 1; id <= kChannels; ++id) {
    relay.Call().Put({"a", id}, 0, Record("i" + std::to_string(id)));
  }
  std::vector<std::future<absl::StatusOr<AppendResult>>> answers;
  for (uint32_t id = 1; id <= kChannels; ++id) {
    auto answer = std::make_shared<std::promise<absl::StatusOr<AppendResult>>>();
    answers.push_back(answer->get_future());
    relay.store().Append(ChannelKey{"a", id}, 1, kInitiator, 1, "x",
                         [answer](const auto& result) { answer->set_value(result); });
  }
  relay.store().Flush();
  for (auto& answer : answers) EXPECT_EQ(answer.get()->outcome, AppendOutcome::kDone);
  // Each transaction has one revision, which the keys that it wrote share.
  std::set<std::string> revisions;
  const std::string all =
      cluster.Control({"get", "--prefix", "wormhole/v1/st/", "--write-out=fields"}).value();
  for (size_t at = all.find("\"ModRevision\""); at != std::string::npos;
       at = all.find("\"ModRevision\"", at + 1)) {
    revisions.insert(all.substr(at, all.find('\n', at) - at));
  }
  EXPECT_GE(revisions.size(), 1u);
  EXPECT_LE(revisions.size(), 10u);  // the ticks may send a small one first
}

TEST(EtcdAwayTest, UsersAndTls) {
  const std::string folder = "tests/support/tls/";
  const auto read = [](const std::string& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  EtcdCluster cluster({.tls = {.cert = folder + "loopback.pem",
                               .key = folder + "loopback.key",
                               .ca = folder + "loopback.pem"},
                       .root_password = "secret"});
  cluster.AddUser("relay", "word", "wormhole/");
  EtcdOptions options = OptionsFor(cluster);
  options.servers.tls_ca = read(folder + "loopback.pem");
  options.servers.user = "relay";
  options.servers.password = "word";
  EtcdRelay relay("one", options);
  EXPECT_EQ(relay.Call().Put(kKey, 0, Record("i")), PutOutcome::kDone);
  cluster.Kill(0);  // and with it the token
  cluster.Restart(0);
  while (!BeginAppend(relay, 1).get().ok()) {
  }
  options.relay_id = "two";
  options.clock = &relay.clock();
  options.servers.password = "wrong";
  EXPECT_THAT(OpenStarted(options).status().ToString(), HasSubstr("authentication failed"));
  options.servers.password = "word";
  options.prefix = "other/";
  EXPECT_THAT(OpenStarted(options).status().ToString(), HasSubstr("permission denied"));
  options.prefix = "wormhole/";
  options.servers.user = options.servers.password = "";
  EXPECT_THAT(OpenStarted(options).status().ToString(), HasSubstr("user name is empty"));
}

TEST(EtcdAwayTest, AUserWhereEtcdHasNoneIsRefused) {
  EtcdCluster cluster;
  RelayClock clock;
  EtcdOptions options = OptionsFor(cluster);
  options.relay_id = "one";
  options.clock = &clock;
  options.servers.user = "relay";
  options.servers.password = "word";
  EXPECT_THAT(OpenStarted(options).status().ToString(), HasSubstr("authentication is not enabled"));
}

}  // namespace
}  // namespace wormhole::relay
