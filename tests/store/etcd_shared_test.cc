// What stores promise that several relays share, of the store in etcd.
#include <memory>
#include <string>

#include "tests/store/etcd_relay.h"
#include "tests/store/shared_contract.h"
#include "tests/support/etcd_server.h"

namespace wormhole::relay {
namespace {

using ::wormhole::testing::EtcdCluster;

EtcdCluster& Cluster() {
  static EtcdCluster cluster;
  return cluster;
}

class EtcdEnd final : public RelayEnd {
 public:
  EtcdEnd(const std::string& name, EtcdOptions options) : relay(name, std::move(options)) {}
  Store& store() override { return relay.store(); }
  NotingListener& listener() override { return relay.listener(); }

  EtcdRelay relay;
};

class EtcdShared final : public SharedStoreUnderTest {
 public:
  std::unique_ptr<RelayEnd> Join() override {
    return std::make_unique<EtcdEnd>("relay " + std::to_string(++relays_),
                                     EtcdOptions{.servers = {.endpoints = {Cluster().endpoint(0)}},
                                                 .prefix = prefix_,
                                                 .patience = absl::InfiniteDuration(),
                                                 .creation_patience = absl::InfiniteDuration(),
                                                 .presence_ttl = absl::Seconds(5)});
  }
  bool Settle() override { return false; }
  // The watch ends with the node. Before it is begun again, its history has gone.
  void Miss(RelayEnd& relay, RelayEnd& another, const std::function<void()>& change) override {
    EtcdRelay& deaf = static_cast<EtcdEnd&>(relay).relay;
    deaf.Freeze();
    Cluster().Kill(0);
    Cluster().Restart(0);
    while (!BlockingStore(another.store()).TryPut({"ping", 1}, 5, Record("p")).ok()) {
    }
    change();
    Cluster().Compact();
    deaf.Tick();
  }

 private:
  const std::string prefix_ =
      std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) + "/";
  int relays_ = 0;
};

std::unique_ptr<SharedStoreUnderTest> MakeEtcdShared() { return std::make_unique<EtcdShared>(); }

INSTANTIATE_TEST_SUITE_P(Etcd, SharedStoreContractTest, ::testing::Values(&MakeEtcdShared));

}  // namespace
}  // namespace wormhole::relay
