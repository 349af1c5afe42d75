// What clients see whose relays' etcd is full: who resumes is served, who posts hears why not, and
// all of it goes on when its operator has helped.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "relay/server/server.h"
#include "relay/store/etcd/etcd_store.h"
#include "tests/store/etcd_relay.h"
#include "tests/store/started_etcd.h"
#include "tests/support/attach_client.h"
#include "tests/support/etcd_server.h"

namespace wormhole::service_test {
namespace {

using error::ErrorDetail;
using error::ReasonOf;
using relay::EtcdOptions;
using relay::EtcdRelay;
using relay::EtcdStore;
using relay::RelayConfig;
using relay::RelayServer;
using ::wormhole::testing::EtcdCluster;

// etcd has a file of some 20 MB before the first key is written.
constexpr char kQuota[] = "--quota-backend-bytes=32000000";

// A relay of the group.
class Relay {
 public:
  Relay(const std::string& name, const EtcdCluster& cluster) {
    config_.listen = "127.0.0.1:0";
    config_.admin_listen = "";
    auto server = RelayServer::Start(
        config_,
        [&]() -> absl::StatusOr<relay::Store*> {
          auto store = relay::OpenStarted({.servers = {.endpoints = {cluster.endpoint(0)}},
                                           .relay_id = name,
                                           .clock = &clock_,
                                           .patience = absl::Milliseconds(500)});
          if (!store.ok()) return store.status();
          store_ = *std::move(store);
          return store_.get();
        },
        &clock_, &monitor_);
    if (!server.ok()) ADD_FAILURE() << server.status();
    server_ = *std::move(server);
    channel_ = Connect(server_->address());
  }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  RelayConfig config_;
  relay::RelayClock clock_;
  relay::Monitor monitor_{config_};
  std::unique_ptr<EtcdStore> store_;
  std::unique_ptr<RelayServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

class FullEtcdTest : public ::testing::Test {
 protected:
  FullEtcdTest() {
    AttachClient a(one_.channel());
    EXPECT_TRUE(a.Send(OpenAllocate('a')));
    id_ = a.Receive()->opened().channel_id();
    AttachClient b(one_.channel());
    EXPECT_TRUE(b.Send(OpenClaim('b', id_)));
    EXPECT_EQ(b.Receive()->opened().channel_id(), id_);
    EXPECT_TRUE(b.Send(Post(1, Long())));
    EXPECT_EQ(b.ReceiveNews()->posted().number(), 1u);
  }

  // A frame that is read from etcd, wherever it was posted.
  static std::string Long() { return std::string(5'000, 'y'); }

  // With what others post, until etcd takes no more.
  void Fill() {
    EtcdOptions options;
    options.servers.endpoints = {cluster_.endpoint(0)};
    EtcdRelay filler("filler", std::move(options));
    const relay::ChannelKey key = {"example.com/others", 7};
    relay::ChannelRecord record = relay::Record("i");
    record.due_at = absl::Now() + absl::Hours(1);  // the relays would end it before
    filler.Call().Put(key, 0, record);
    const auto is_full = [this] {
      return cluster_.Control({"alarm", "list"}).value_or("").find("NOSPACE") != std::string::npos;
    };
    uint64_t number = 1;
    for (int tries = 0; !is_full(); ++tries) {
      ASSERT_LT(tries, 100) << "etcd takes more than it should";
      const std::string frame(900'000, 'x');
      const auto posted = filler.Call().TryAppend(key, 1, relay::Role::kInitiator, number, frame);
      if (!posted.ok()) continue;  // it may have stood still for a while
      ASSERT_EQ(posted->outcome, relay::AppendOutcome::kDone);
      filler.Call().Accept(key, relay::Role::kInitiator, number++).IgnoreError();
    }
  }
  void Help() {
    cluster_.Compact();
    EXPECT_TRUE(cluster_.Control({"defrag"}).ok());
    EXPECT_TRUE(cluster_.Control({"alarm", "disarm"}).ok());
  }

  // The first side comes back, as its client does: it is a member, and gets the peer's frame.
  std::unique_ptr<AttachClient> Resume(const Relay& relay) {
    auto a = std::make_unique<AttachClient>(relay.channel());
    EXPECT_TRUE(a->Send(OpenResume('a', id_)));
    const auto opened = a->Receive();
    if (!opened || !opened->has_opened()) {
      ADD_FAILURE() << a->Finish();
      return a;
    }
    EXPECT_EQ(opened->opened().state(), rendezvous::v1::Opened::STATE_ATTACHED);
    EXPECT_EQ(opened->opened().stored(), 0u);
    EXPECT_EQ(opened->opened().peer_stored(), 1u);
    const auto message = a->ReceiveNews();
    EXPECT_TRUE(message && message->message().frame() == Long());
    return a;
  }

  // Until it is told. Its peer comes back meanwhile, to another relay.
  void ExpectAttachedAt(const Relay& relay) {
    AttachClient b(relay.channel());
    EXPECT_TRUE(b.Send(OpenResume('b', id_)));
    std::optional<AttachResponse> heard = b.Receive();
    const auto says_so = [](const AttachResponse& response) {
      return response.opened().peer() == rendezvous::v1::PRESENCE_ATTACHED ||
             response.peer_status().presence() == rendezvous::v1::PRESENCE_ATTACHED;
    };
    while (heard && !says_so(*heard)) heard = b.Receive();
    EXPECT_TRUE(heard.has_value()) << b.Finish();
  }

  // At `relay`, which the peer does not come to: that is `another`.
  void ExpectToServe(const Relay& relay, const std::function<const Relay&()>& another) {
    auto a = Resume(relay);
    EXPECT_TRUE(a->Send(Post(1, "frame")));
    const absl::Status refused = a->Finish();
    EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
    EXPECT_EQ(ReasonOf(refused), ErrorDetail::REASON_STORE_AWAY) << refused;
    a = Resume(relay);  // and is there when the operator helps
    Help();
    ExpectAttachedAt(another());
    EXPECT_TRUE(a->Send(Post(1, "frame")));
    const auto posted = a->ReceiveNews();
    EXPECT_TRUE(posted && posted->posted().number() == 1) << a->Finish();
  }

  EtcdCluster cluster_{{.flags = {kQuota}}};
  Relay one_{"one", cluster_};
  std::unique_ptr<Relay> two_;
  uint32_t id_ = 0;
};

TEST_F(FullEtcdTest, ARelayThatRunsServesWhoResumes) {
  Fill();
  ExpectToServe(one_, [this]() -> const Relay& {
    two_ = std::make_unique<Relay>("two", cluster_);
    return *two_;
  });
}

TEST_F(FullEtcdTest, ARelayThatStartsServesWhoResumes) {
  Fill();
  two_ = std::make_unique<Relay>("two", cluster_);
  ExpectToServe(*two_, [this]() -> const Relay& { return one_; });
}

}  // namespace
}  // namespace wormhole::service_test
