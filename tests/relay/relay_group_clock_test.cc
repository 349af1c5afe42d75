// Relays over one etcd, of which one has a wrong clock.
#include <poll.h>

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "relay/clock/testing/machine_clock.h"
#include "relay/server/server.h"
#include "relay/store/etcd/etcd_store.h"
#include "tests/store/started_etcd.h"
#include "tests/support/attach_client.h"
#include "tests/support/etcd_server.h"

namespace wormhole::service_test {
namespace {

// More than channels last here.
constexpr absl::Duration kFar = absl::Hours(2);

class GroupRelay {
 public:
  // Its machine's clock is `ahead` of the true time.
  GroupRelay(const testing::EtcdCluster& etcd, const std::string& prefix, const std::string& name,
             absl::Duration ahead)
      : machine_(ahead) {
    config_.listen = config_.probe_listen = "127.0.0.1:0";
    config_.admin_listen = "";
    const auto open_store = [&]() -> absl::StatusOr<relay::Store*> {
      auto store = relay::OpenStarted({.servers = {.endpoints = {etcd.endpoint(0)}},
                                       .prefix = prefix,
                                       .relay_id = name,
                                       .clock = &clock_});
      if (!store.ok()) return store.status();
      store_ = *std::move(store);
      return store_.get();
    };
    server_ = relay::RelayServer::Start(config_, open_store, &clock_, &monitor_).value();
    server_->Serve();
    channel_ = Connect(server_->address());
  }

  relay::RelayClock& clock() { return clock_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  // Somebody sets the machine's clock.
  void SetClock(absl::Duration forward) { machine_.Set(forward); }

  bool ready() const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    grpc::health::v1::HealthCheckRequest request;
    request.set_service("readiness");
    grpc::health::v1::HealthCheckResponse response;
    const auto stub = grpc::health::v1::Health::NewStub(Connect(server_->probe_address()));
    EXPECT_TRUE(stub->Check(&context, request, &response).ok());
    return response.status() == grpc::health::v1::HealthCheckResponse::SERVING;
  }
  void AwaitReady(bool wanted) const {
    while (ready() != wanted) poll(nullptr, 0, 10);  // a port has so many calls a minute
  }

 private:
  relay::MachineClock machine_;
  relay::RelayClock clock_{machine_.reader()};
  relay::RelayConfig config_;
  relay::Monitor monitor_{config_};
  std::unique_ptr<relay::Store> store_;
  std::unique_ptr<relay::RelayServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

class RelayGroupClockTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { etcd_ = new testing::EtcdCluster; }
  static void TearDownTestSuite() { delete etcd_; }

  std::unique_ptr<GroupRelay> Relay(const std::string& name,
                                    absl::Duration ahead = absl::ZeroDuration()) {
    const std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    return std::make_unique<GroupRelay>(*etcd_, test + "/", name, ahead);
  }
  // One that others find: it has told of its clock.
  std::unique_ptr<GroupRelay> RelayThatIsThere(const std::string& name) {
    auto relay = Relay(name);
    const std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    while (etcd_->Control({"get", "--prefix", "--keys-only", test + "/v1/clock/"}).value() == "") {
    }
    return relay;
  }

  static AttachRequest AllocateFor(int seconds, char token, uint32_t id = 0) {
    AttachRequest request = OpenAllocate(token, id);
    request.mutable_open()->mutable_allocate()->mutable_ttl()->set_seconds(seconds);
    return request;
  }
  // The relay has ended what was due a second from now.
  static void AwaitExpiryOfASecond(GroupRelay& relay, char token) {
    AttachClient client(relay.channel());
    ASSERT_TRUE(client.Send(AllocateFor(1, token)));
    ASSERT_TRUE(client.Receive()->has_opened());
    EXPECT_FALSE(client.Finish().ok());
  }
  static void ExpectSameTime(GroupRelay& a, GroupRelay& b) {
    EXPECT_LT(absl::AbsDuration(a.clock().Now() - b.clock().Now()), absl::Minutes(1));
  }

  static testing::EtcdCluster* etcd_;
};

testing::EtcdCluster* RelayGroupClockTest::etcd_ = nullptr;

TEST_F(RelayGroupClockTest, OneThatIsAheadEndsNobodysExchange) {
  const auto one = RelayThatIsThere("one");
  AttachClient a(one->channel());
  AttachClient b(one->channel());
  a.Send(OpenAllocate('a', 7));
  ASSERT_TRUE(a.Receive()->has_opened());
  b.Send(OpenClaim('b', 7));
  ASSERT_TRUE(b.Receive()->has_opened());
  const auto two = Relay("two", kFar);
  ExpectSameTime(*one, *two);
  EXPECT_FALSE(two->ready());
  EXPECT_TRUE(one->ready());
  AwaitExpiryOfASecond(*two, 'c');
  EXPECT_TRUE(a.Send(Post(1, "f")));
  EXPECT_EQ(b.ReceiveNews()->message().frame(), "f");
}

TEST_F(RelayGroupClockTest, OneThatIsBehindMakesChannelsThatLast) {
  const auto one = RelayThatIsThere("one");
  const auto two = Relay("two", -kFar);
  ExpectSameTime(*one, *two);
  EXPECT_FALSE(two->ready());
  AttachClient a(two->channel());
  AttachClient b(one->channel());
  a.Send(OpenAllocate('a', 7));
  ASSERT_TRUE(a.Receive()->has_opened());
  b.Send(OpenClaim('b', 7));
  ASSERT_TRUE(b.Receive()->has_opened());
  EXPECT_TRUE(a.Send(Post(1, "f")));
  EXPECT_EQ(b.ReceiveNews()->message().frame(), "f");
}

// The relay that would have ended it is gone.
TEST_F(RelayGroupClockTest, OneThatIsBehindLetsNobodyIntoWhatHasExpired) {
  auto one = RelayThatIsThere("one");
  const auto two = Relay("two", -kFar);
  {
    AttachClient a(one->channel());
    a.Send(AllocateFor(1, 'a', 7));
    ASSERT_TRUE(a.Receive()->has_opened());
    a.Cancel();
    a.Finish().IgnoreError();
  }
  one.reset();
  AwaitExpiryOfASecond(*two, 'c');
  AttachClient b(two->channel());
  b.Send(OpenClaim('b', 7));
  const absl::Status claimed = b.Finish();
  EXPECT_TRUE(absl::IsNotFound(claimed)) << claimed;
  AttachClient c(two->channel());
  c.Send(OpenAllocate('d', 7));
  const absl::Status allocated = c.Finish();
  EXPECT_TRUE(absl::IsAlreadyExists(allocated)) << allocated;
}

TEST_F(RelayGroupClockTest, OneThatIsSetGoesOnAndIsNotReadyUntilItIsRight) {
  const auto one = RelayThatIsThere("one");  // the eldest, which a tie goes by
  const auto two = Relay("two");
  AttachClient a(one->channel());
  AttachClient b(two->channel());
  a.Send(OpenAllocate('a', 7));
  ASSERT_TRUE(a.Receive()->has_opened());
  b.Send(OpenClaim('b', 7));
  ASSERT_TRUE(b.Receive()->has_opened());
  two->SetClock(absl::Hours(72));
  two->AwaitReady(false);
  EXPECT_TRUE(one->ready());
  ExpectSameTime(*one, *two);
  EXPECT_TRUE(a.Send(Post(1, "f")));
  EXPECT_EQ(b.ReceiveNews()->message().frame(), "f");
  two->SetClock(absl::Hours(-72));
  two->AwaitReady(true);
}

}  // namespace
}  // namespace wormhole::service_test
