// An etcd whose space is used up: it is read, and takes no writes until its operator helps.
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/etcd_relay.h"
#include "tests/support/etcd_server.h"

namespace wormhole::relay {
namespace {

using ::testing::ElementsAre;
using ::wormhole::testing::EtcdCluster;

constexpr Role kInitiator = Role::kInitiator;
constexpr Role kReceiver = Role::kReceiver;
const ChannelKey kKey = {"example.com/app1", 7};
// etcd has a file of some 20 MB before the first key is written.
constexpr char kQuota[] = "--quota-backend-bytes=32000000";

class EtcdFullTest : public ::testing::Test {
 protected:
  EtcdFullTest() : relay_(Relay("one")) {}

  std::unique_ptr<EtcdRelay> Relay(const std::string& name) {
    EtcdOptions options;
    options.servers.endpoints = {cluster_.endpoint(0)};
    options.on_trouble = [this](const absl::Status& status) { health_.Note(status.ok()); };
    return std::make_unique<EtcdRelay>(name, std::move(options));
  }
  // A frame that its log does not hold, so that it is read from etcd.
  static std::string Long() { return std::string(5'000, 'y'); }

  bool IsFull() const {
    return cluster_.Control({"alarm", "list"}).value_or("").find("NOSPACE") != std::string::npos;
  }
  // With what clients post.
  void Fill() {
    const std::string frame(900'000, 'x');
    uint64_t number = 1;
    for (int tries = 0; tries < 100; ++tries) {
      absl::Status done = relay_->Call().TryAppend(kKey, 1, kInitiator, number, frame).status();
      if (done.ok()) done = relay_->Call().Accept(kKey, kInitiator, number).status();
      if (done.ok()) {
        ++number;
        continue;
      }
      EXPECT_TRUE(IsStoreAway(done)) << done;
      if (IsFull()) return;  // and has not only stood still for a while
    }
    FAIL() << "etcd takes more than it should";
  }

  EtcdCluster cluster_{{.flags = {kQuota}}};
  StoreReadiness health_;
  std::unique_ptr<EtcdRelay> relay_;
};

TEST_F(EtcdFullTest, WhatIsReadIsAnsweredAndWhatWritesIsNot) {
  relay_->Call().Put(kKey, 0, Record("i"));
  Fill();
  health_.AwaitAway();
  EXPECT_TRUE(relay_->Call().Load(kKey).has_value());
  // Also one that would want a lease of its own.
  const auto put = relay_->Call().TryPut({"a", 1}, 0, Record("j", "", /*created=*/720'000));
  EXPECT_TRUE(IsStoreAway(put.status())) << put.status();
  EXPECT_EQ(relay_->Call().Load({"a", 2}), std::nullopt);
  EXPECT_TRUE(health_.away());  // for all that was read
}

// Where the side is attached cannot be said, which is no reason for its messages to wait.
TEST_F(EtcdFullTest, WhoResumesIsServed) {
  relay_->Call().Put(kKey, 0, Record("i", "r"));
  relay_->Call().Append(kKey, 1, kReceiver, 1, Long());
  Fill();
  health_.AwaitAway();
  relay_->store().SetAttached({kKey, Side("i")}, kInitiator, true);
  EXPECT_THAT(relay_->Call().Read(kKey, kReceiver), ElementsAre(Frame(1u, Long())));
  EXPECT_TRUE(relay_->Call().Load(kKey).has_value());
}

TEST_F(EtcdFullTest, ARelayThatStartsServesWhoResumes) {
  relay_->Call().Put(kKey, 0, Record("i", "r"));
  relay_->Call().Append(kKey, 1, kReceiver, 1, Long());
  Fill();
  health_.AwaitAway();
  const auto two = Relay("two");
  EXPECT_TRUE(two->Call().Load(kKey).has_value());
  two->store().SetAttached({kKey, Side("i")}, kInitiator, true);
  EXPECT_THAT(two->Call().Read(kKey, kReceiver), ElementsAre(Frame(1u, Long())));
  EXPECT_TRUE(two->Call().Load(kKey).has_value());
  // It is told once it can be.
  cluster_.Compact();
  EXPECT_TRUE(cluster_.Control({"defrag"}).ok());
  EXPECT_TRUE(cluster_.Control({"alarm", "disarm"}).ok());
  relay_->listener().Await("elsewhere 7 i");
}

TEST_F(EtcdFullTest, ItsOperatorHelps) {
  relay_->Call().Put(kKey, 0, Record("i"));
  Fill();
  health_.AwaitAway();
  cluster_.Compact();
  EXPECT_TRUE(cluster_.Control({"defrag"}).ok());
  EXPECT_TRUE(cluster_.Control({"alarm", "disarm"}).ok());
  health_.AwaitBack();
  EXPECT_EQ(relay_->Call().Put({"a", 1}, 0, Record("j")), PutOutcome::kDone);
}

}  // namespace
}  // namespace wormhole::relay
