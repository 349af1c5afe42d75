// Fault 2: three relays on etcd, and clients that know all of them. One is killed after the other;
// one is cut off from etcd; one is cut off from its clients; clocks are wrong.
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/faults/injected_faults.h"
#include "tests/faults/scene.h"
#include "tests/faults/tcp_proxy.h"
#include "tests/support/etcd_server.h"

namespace wormhole::faults {
namespace {

using testing::EtcdCluster;

constexpr int kRelays = 3;
constexpr int kShort = 150;

// A lost stream is noticed after two and a half of these.
constexpr char kHeartbeat[] = "--heartbeat=1s";
constexpr std::chrono::milliseconds kAwayFromEtcd(1500);
constexpr std::chrono::milliseconds kAwayFromClients(4000);

ScenePlan PlanFor(const std::vector<std::string>& stores) {
  ScenePlan plan = {.short_exchanges = kShort};
  for (const std::string& store : stores) {
    plan.relays.push_back({.store = "etcd:" + store, .flags = {kHeartbeat}});
  }
  return plan;
}

TEST(RelaysOnEtcdTest, OneKilledAfterTheOther) {
  EtcdCluster etcd;
  Scene scene(PlanFor({etcd.endpoints(), etcd.endpoints(), etcd.endpoints()}));
  int kills = 0;
  scene.RunDuring([&] {
    Relay& relay = scene.relay(kills++ % kRelays);
    scene.AwaitSomeEvents();
    relay.Kill();
    scene.AwaitSomeEvents();  // the others go on
    ASSERT_TRUE(relay.Start()) << relay.process().error();
  });
  scene.ExpectAllFinished(absl::StrCat("relays killed ", kills, " times"));
  EXPECT_GE(kills, 1);
}

// A rolling update: SIGTERM, and the next version in its place.
TEST(RelaysOnEtcdTest, OneRestartedAfterTheOther) {
  EtcdCluster etcd;
  Scene scene(PlanFor({etcd.endpoints(), etcd.endpoints(), etcd.endpoints()}));
  int restarts = 0;
  scene.RunDuring([&] {
    Relay& relay = scene.relay(restarts++ % kRelays);
    scene.AwaitSomeEvents();
    ASSERT_EQ(relay.Stop(), 0) << relay.process().error();
    ASSERT_TRUE(relay.Start()) << relay.process().error();
  });
  scene.ExpectAllFinished(absl::StrCat("relays restarted ", restarts, " times"));
  EXPECT_GE(restarts, 1);
}

// By more than any channel here lasts, and one of them is set once more.
TEST(RelaysOnEtcdTest, OnlyOneWithARightClock) {
  EtcdCluster etcd;
  testing::TempFolder folder;
  InjectedFaults ahead(folder.File("ahead"));
  InjectedFaults behind(folder.File("behind"));
  ahead->clock_shift_seconds = 10 * 24 * 3600;
  behind->clock_shift_seconds = -10 * 24 * 3600;
  ScenePlan plan = PlanFor({etcd.endpoints(), etcd.endpoints(), etcd.endpoints()});
  plan.relays[1].environment = ahead.Environment();
  plan.relays[2].environment = behind.Environment();
  Scene scene(plan);
  int times = 0;
  scene.RunDuring([&] {
    if (++times == 2) ahead->clock_shift_seconds = -24 * 3600;
  });
  scene.ExpectAllFinished("clocks ten days ahead and behind");
  for (const size_t wrong : {1, 2}) {
    EXPECT_EQ(scene.relay(wrong).Stop(), 0);
    EXPECT_THAT(scene.relay(wrong).process().error(),
                ::testing::HasSubstr("not that of the relays over this store"));
  }
}

TEST(RelaysOnEtcdTest, OneCutOffFromEtcd) {
  EtcdCluster etcd;
  std::vector<std::unique_ptr<TcpProxy>> ways;
  std::vector<std::string> stores;
  for (int i = 0; i < kRelays; ++i) {
    ways.push_back(std::make_unique<TcpProxy>(etcd.endpoint(0)));
    stores.push_back(ways.back()->address());
  }
  Scene scene(PlanFor(stores));
  int times = 0;
  scene.RunDuring([&] {
    TcpProxy& way = *ways[times++ % kRelays];
    scene.AwaitSomeEvents();
    way.Hold();
    std::this_thread::sleep_for(kAwayFromEtcd);
    way.Release();
  });
  scene.ExpectAllFinished(absl::StrCat("a relay cut off from etcd ", times, " times"));
}

TEST(RelaysOnEtcdTest, OneCutOffFromItsClients) {
  EtcdCluster etcd;
  Scene scene(PlanFor({etcd.endpoints(), etcd.endpoints(), etcd.endpoints()}));
  std::vector<std::unique_ptr<TcpProxy>> ways;
  std::vector<std::string> addresses;
  for (int i = 0; i < kRelays; ++i) {
    ways.push_back(std::make_unique<TcpProxy>(scene.relay(i).address()));
    addresses.push_back(ways.back()->address());
  }
  scene.SetTarget("ipv4:" + absl::StrJoin(addresses, ","));
  int times = 0;
  scene.RunDuring([&] {
    TcpProxy& way = *ways[times++ % kRelays];
    scene.AwaitSomeEvents();
    way.Hold();
    std::this_thread::sleep_for(kAwayFromClients);
    way.Release();
  });
  scene.ExpectAllFinished(absl::StrCat("a relay cut off from its clients ", times, " times"));
}

}  // namespace
}  // namespace wormhole::faults
