// Everything at once: three relays over three etcd nodes, each relay behind a way of its own, and
// what goes wrong with one of these begins and ends whatever the others do. By hand, with
// --duration=1h.
#include <signal.h>

#include <array>
#include <atomic>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/faults/scene.h"
#include "tests/faults/tcp_proxy.h"
#include "tests/support/etcd_server.h"

namespace wormhole::faults {
namespace {

using testing::EtcdCluster;

constexpr int kRelays = 3;
constexpr int kNodes = 3;
constexpr int kShort = 240;

// What can go wrong with one thing, one at a time.
struct Trouble {
  std::string name;
  std::function<void()> begin;
  std::function<void()> end;  // empty: it is over at once
};

// Something that has its troubles, apart from everything else.
struct Victim {
  std::vector<Trouble> troubles;
  const Trouble* under = nullptr;  // which it is now
};

class ChaosTest : public ::testing::Test {
 protected:
  ChaosTest() {
    for (int i = 0; i < kRelays; ++i) AddRelay(i);
    std::vector<std::string> addresses;
    for (const auto& way : ways_) addresses.push_back(way->address());
    scene_.SetTarget("ipv4:" + absl::StrJoin(addresses, ","));
    AddEtcd();
  }

  static ScenePlan Plan(const EtcdCluster& etcd) {
    const Relay::Options relay = {.store = "etcd:" + etcd.endpoints(), .flags = {"--heartbeat=1s"}};
    return {
        .short_exchanges = kShort, .relays = {relay, relay, relay}, .timeout = absl::Minutes(4)};
  }

  void AddRelay(int number) {
    Relay& relay = scene_.relay(number);
    const auto start = [&relay] { ASSERT_TRUE(relay.Start()) << relay.process().error(); };
    victims_.push_back({{{"a relay is killed", [&relay] { relay.Kill(); }, start},
                         {"a relay is stopped", [&relay] { EXPECT_EQ(relay.Stop(), 0); }, start},
                         {"a relay stands still", [&relay] { relay.process().Signal(SIGSTOP); },
                          [&relay] { relay.process().Signal(SIGCONT); }}}});
    // A filter sees that it is to end its connection by what comes next.
    std::atomic<int>& cuts = cuts_[number];
    const auto filter = [&cuts] {
      return
          [&cuts, begun = cuts.load()](bool, const std::string& bytes, const TcpProxy::Send& send) {
            return cuts == begun && send(bytes);
          };
    };
    ways_.push_back(std::make_unique<TcpProxy>(
        relay.address(), TcpProxy::Options{.make_filter = filter, .reset = true}));
    TcpProxy& way = *ways_.back();
    victims_.push_back({{{"clients are dropped", [&cuts] { ++cuts; }, {}},
                         {"clients are held", [&way] { way.Hold(); }, [&way] { way.Release(); }}}});
  }

  void AddEtcd() {
    const auto pick = [this] { node_ = static_cast<int>(scene_.random()() % kNodes); };
    const auto restart = [this] { etcd_.Restart(node_); };
    const auto kill_all = [this] {
      for (int node = 0; node < kNodes; ++node) etcd_.Kill(node);
    };
    const auto start_all = [this] {
      for (int node = 0; node < kNodes; ++node) etcd_.Start(node);
      for (int node = 0; node < kNodes; ++node) etcd_.AwaitServing(node);
    };
    victims_.push_back(
        {{{"an etcd node is killed", [=, this] { pick(), etcd_.Kill(node_); }, restart},
          {"etcd's leader is killed", [this] { etcd_.Kill(node_ = etcd_.leader()); }, restart},
          {"an etcd node stands still", [=, this] { pick(), etcd_.Pause(node_); },
           [this] { etcd_.Resume(node_); }},
          {"etcd is killed", kill_all, start_all},
          {"etcd is compacted", [this] { etcd_.Compact(); }, {}}}});
  }

  // Something begins or ends.
  void Step() {
    Victim& victim = victims_[scene_.random()() % victims_.size()];
    if (const Trouble* const over = std::exchange(victim.under, nullptr)) return over->end();
    const Trouble& trouble = victim.troubles[scene_.random()() % victim.troubles.size()];
    scene_.AwaitSomeEvents();
    trouble.begin();
    ++times_[trouble.name];
    if (trouble.end) victim.under = &trouble;
  }

  std::string Times() const {
    std::vector<std::string> all;
    for (const auto& [name, times] : times_)
      all.push_back(absl::StrCat(name, " ", times, " times"));
    return absl::StrJoin(all, ", ");
  }

  EtcdCluster etcd_{{.nodes = kNodes}};
  Scene scene_{Plan(etcd_)};
  std::array<std::atomic<int>, kRelays> cuts_ = {};
  std::vector<std::unique_ptr<TcpProxy>> ways_;
  std::vector<Victim> victims_;
  int node_ = 0;  // of etcd, which is in trouble
  std::map<std::string, int> times_;
};

TEST_F(ChaosTest, NothingIsLost) {
  scene_.RunDuring([this] {
    Step();
    Step();
  });
  scene_.ExpectAllFinished(Times());
  EXPECT_FALSE(times_.empty());
}

}  // namespace
}  // namespace wormhole::faults
