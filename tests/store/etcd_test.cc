// The store in etcd, closed and opened again, over one etcd node; each test has a prefix of its
// own.
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "relay/store/etcd/etcd_store.h"
#include "tests/store/contract.h"
#include "tests/store/started_etcd.h"
#include "tests/support/etcd_server.h"

namespace wormhole::relay {
namespace {

class EtcdUnderTest : public StoreUnderTest {
 public:
  EtcdUnderTest() { Open(); }
  Store& store() override { return *store_; }
  void Restart() override {
    store_.reset();
    Open();
  }

 private:
  static std::string Endpoint() {
    static const wormhole::testing::EtcdCluster cluster;
    return cluster.endpoints();
  }

  void Open() {
    static int writers = 0;
    auto store = OpenStarted({.servers = {.endpoints = {Endpoint()}},
                              .prefix = prefix_,
                              .relay_id = "relay " + std::to_string(++writers),
                              .clock = &clock_,
                              .patience = absl::InfiniteDuration(),
                              .creation_patience = absl::InfiniteDuration()});
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  static std::string NextPrefix() {
    static int tests = 0;
    return "test " + std::to_string(++tests) + "/";
  }

  const std::string prefix_ = NextPrefix();
  RelayClock clock_;
  std::unique_ptr<EtcdStore> store_;
};

std::unique_ptr<StoreUnderTest> MakeEtcd() { return std::make_unique<EtcdUnderTest>(); }

INSTANTIATE_TEST_SUITE_P(Etcd, StoreContractTest, ::testing::Values(&MakeEtcd));
INSTANTIATE_TEST_SUITE_P(Etcd, StoreRestTest, ::testing::Values(&MakeEtcd));
INSTANTIATE_TEST_SUITE_P(Etcd, StoreDurabilityTest, ::testing::Values(&MakeEtcd));

}  // namespace
}  // namespace wormhole::relay
