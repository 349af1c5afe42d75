// Fault 3: two relays on three etcd nodes. The leader is killed; a node is cut off; all of them
// are restarted.
#include <chrono>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/faults/scene.h"
#include "tests/support/etcd_server.h"

namespace wormhole::faults {
namespace {

using testing::EtcdCluster;

constexpr int kNodes = 3;
constexpr int kShort = 90;
constexpr std::chrono::milliseconds kAway(1500);

class EtcdNodesTest : public ::testing::Test {
 protected:
  static ScenePlan Plan(const EtcdCluster& etcd) {
    const Relay::Options relay = {.store = "etcd:" + etcd.endpoints(), .flags = {"--heartbeat=1s"}};
    return {.short_exchanges = kShort, .relays = {relay, relay}};
  }

  EtcdCluster etcd_{{.nodes = kNodes}};
  Scene scene_{Plan(etcd_)};
  int times_ = 0;
};

TEST_F(EtcdNodesTest, TheLeaderIsKilled) {
  scene_.RunDuring([&] {
    const int leader = etcd_.leader();
    scene_.AwaitSomeEvents();
    etcd_.Kill(leader);
    ++times_;
    std::this_thread::sleep_for(kAway);  // the others elect one
    etcd_.Restart(leader);
  });
  scene_.ExpectAllFinished(absl::StrCat("leader killed ", times_, " times"));
}

// It is stopped, which nobody is told: connections stay, and nothing answers.
TEST_F(EtcdNodesTest, AMinorityIsCutOff) {
  scene_.RunDuring([&] {
    const int node = times_++ % kNodes;
    scene_.AwaitSomeEvents();
    etcd_.Pause(node);
    std::this_thread::sleep_for(kAway);
    etcd_.Resume(node);
  });
  scene_.ExpectAllFinished(absl::StrCat("a node cut off ", times_, " times"));
}

TEST_F(EtcdNodesTest, AllAreRestarted) {
  scene_.RunDuring([&] {
    scene_.AwaitSomeEvents();
    for (int node = 0; node < kNodes; ++node) etcd_.Kill(node);
    ++times_;
    for (int node = 0; node < kNodes; ++node) etcd_.Start(node);
    for (int node = 0; node < kNodes; ++node) etcd_.AwaitServing(node);
  });
  scene_.ExpectAllFinished(absl::StrCat("all nodes restarted ", times_, " times"));
}

}  // namespace
}  // namespace wormhole::faults
