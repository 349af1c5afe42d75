// Shutdown over real gRPC, with the relay in a process of its own.
#include <grpc/grpc.h>
#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/mute.h"
#include "tests/support/relay_process.h"
#include "tests/support/thread_count.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

constexpr absl::Duration kLong = absl::Minutes(1);

class GrpcShutdownTest : public ::testing::Test {
 protected:
  void SetUp() override {
    relay_.emplace(std::vector<std::string>{"--listen=127.0.0.1:0", "--store=memory"});
    address_ = relay_->AwaitListening();
    ASSERT_FALSE(address_.empty()) << relay_->error();
  }

  Options NewOptions(std::shared_ptr<Client> client = nullptr) {
    Options options;
    options.app_id = "example.com/test";
    options.rendezvous = address_;
    options.security = Security::kPlaintext;
    options.client = std::move(client);
    return options;
  }

  // Two sides that have met. Their handles are what it returns.
  std::pair<Initiator, Receiver> Meet(const Options& options) {
    auto initiator = Initiator::Create(options, "a").value();
    auto receiver = Receiver::Create(options, initiator.GetCode().value(), "b").value();
    EXPECT_EQ(initiator.GetData().value(), "b");
    EXPECT_EQ(receiver.GetData().value(), "a");
    return {std::move(initiator), std::move(receiver)};
  }

  std::optional<RelayProcess> relay_;
  std::string address_;
  const int threads_before_ = ThreadsOfThisProcess();
};

TEST_F(GrpcShutdownTest, LeavesNoThread) {
  for (int round = 0; round < 3; ++round) {
    auto client = Client::Create().value();
    auto [initiator, receiver] = Meet(NewOptions(client));
    ASSERT_EQ(client->Shutdown(kLong), absl::OkStatus());
    ASSERT_EQ(ThreadsOfThisProcess(), threads_before_) << round;
  }
}

TEST_F(GrpcShutdownTest, LeavesNoThreadOfTheCommonClient) {
  for (int round = 0; round < 3; ++round) {
    auto handles = std::make_optional(Meet(NewOptions()));
    if (round == 1) handles.reset();
    ASSERT_EQ(ShutdownCommonClient(kLong), absl::OkStatus());
    ASSERT_EQ(ThreadsOfThisProcess(), threads_before_) << round;
  }
}

// A callback that does not return, of an earlier common client, keeps no later one at work.
TEST_F(GrpcShutdownTest, AllCommonClientsAreTold) {
  std::promise<void> begun;
  std::promise<void> go_on;
  {
    auto old = Initiator::Create(NewOptions(), "a").value();
    old.WhenCode([&, wait = go_on.get_future().share()](const absl::StatusOr<std::string>&) {
      begun.set_value();
      wait.wait();
    });
    begun.get_future().wait();
  }
  EXPECT_EQ(ShutdownCommonClient(absl::ZeroDuration()).code(), absl::StatusCode::kDeadlineExceeded);
  auto now = Initiator::Create(NewOptions(), "a").value();
  ASSERT_TRUE(now.GetCode().ok());
  const absl::Status status = ShutdownCommonClient(absl::Milliseconds(20));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()),
              ::testing::HasSubstr("a callback or hook of yours is still running"));
  EXPECT_EQ(ReasonOf(now.GetData().status()), Reason::kCancelled);
  go_on.set_value();
  EXPECT_EQ(ShutdownCommonClient(kLong), absl::OkStatus());
  EXPECT_EQ(ThreadsOfThisProcess(), threads_before_);
}

TEST_F(GrpcShutdownTest, AnExchangeUnderWayStops) {
  auto client = Client::Create().value();
  auto initiator = Initiator::Create(NewOptions(client), "a").value();
  const std::string code = initiator.GetCode().value();
  absl::Status waited;
  std::thread waiter([&] { waited = initiator.GetData().status(); });
  ASSERT_EQ(client->Shutdown(kLong), absl::OkStatus());
  waiter.join();
  EXPECT_EQ(ReasonOf(waited), Reason::kCancelled) << waited;
  EXPECT_EQ(ThreadsOfThisProcess(), threads_before_);
  auto again = Initiator::FromSerialized(initiator.Serialize().value(), NewOptions()).value();
  auto receiver = Receiver::Create(NewOptions(), code, "b").value();
  EXPECT_EQ(again.GetData().value(), "b");
  ASSERT_EQ(ShutdownCommonClient(kLong), absl::OkStatus());
}

TEST_F(GrpcShutdownTest, ExchangesAreMadeBesideTheEndOfTheCommonClient) {
  std::atomic<bool> enough = false;
  std::thread maker([&] {
    while (!enough) EXPECT_EQ(Initiator::Create(NewOptions(), "a").status(), absl::OkStatus());
  });
  for (int i = 0; i < 40; ++i) (void)ShutdownCommonClient(absl::Milliseconds(20));
  enough = true;
  maker.join();
  EXPECT_EQ(ShutdownCommonClient(kLong), absl::OkStatus());
  EXPECT_EQ(grpc_is_initialized(), 0);
}

// The channels of these are let go of while they connect, which gRPC must not be told too soon.
TEST_F(GrpcShutdownTest, NoConnectionOfShortExchangesIsLeft) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Initiator::Create(NewOptions(), "a").status(), absl::OkStatus());
    (void)ShutdownCommonClient(absl::ZeroDuration());
  }
  EXPECT_EQ(ShutdownCommonClient(kLong), absl::OkStatus());
  EXPECT_EQ(grpc_is_initialized(), 0);
  EXPECT_EQ(ThreadsOfThisProcess(), threads_before_);
}

TEST_F(GrpcShutdownTest, ThreadsHaveNames) {
  auto client = Client::Create().value();
  auto initiator = Initiator::Create(NewOptions(client), "a").value();
  std::promise<std::string> name;
  initiator.WhenCode([&](const absl::StatusOr<std::string>&) {
    char own[16] = {};
    pthread_getname_np(pthread_self(), own, sizeof(own));
    name.set_value(own);
  });
  EXPECT_EQ(name.get_future().get(), "wormhole");
  EXPECT_EQ(client->Shutdown(kLong), absl::OkStatus());
}

// No relay is there: a probe has looked, or is looking.
TEST_F(GrpcShutdownTest, NeitherAreProbesLeft) {
  relay_.reset();
  auto client = Client::Create().value();
  auto initiator = Initiator::Create(NewOptions(client), "a").value();
  ASSERT_EQ(client->Shutdown(kLong), absl::OkStatus());
  EXPECT_EQ(ThreadsOfThisProcess(), threads_before_);
}

// Once gRPC has spoken it waits for the answer also after its channel is closed, for five seconds
// at most.
TEST_F(GrpcShutdownTest, NorIsAConnectionAttempt) {
  // On a machine that stands still the attempt may be over before anybody looks.
  bool named = false;
  for (int round = 0; round < 5 && !named; ++round) {
    Mute mute;
    auto client = Client::Create().value();
    Options options = NewOptions(client);
    options.rendezvous = mute.address();
    auto initiator = Initiator::Create(options, "a").value();
    mute.AwaitFirstBytes();
    absl::Status status;
    do {
      status = client->Shutdown(absl::Milliseconds(100));
      named |= absl::StrContains(status.message(), "a connection attempt");
    } while (!status.ok());
  }
  EXPECT_TRUE(named);
  EXPECT_EQ(grpc_is_initialized(), 0);
}

TEST_F(GrpcShutdownTest, NorOneThroughAProxy) {
  Mute proxy;
  setenv("http_proxy", absl::StrCat("http://", proxy.address()).c_str(), 1);
  auto client = Client::Create().value();
  unsetenv("http_proxy");
  Options options = NewOptions(client);
  options.rendezvous = "relay.example:1";
  auto initiator = Initiator::Create(options, "a").value();
  proxy.AwaitFirstBytes();
  EXPECT_EQ(client->Shutdown(kLong), absl::OkStatus());
  EXPECT_EQ(grpc_is_initialized(), 0);
}

}  // namespace
}  // namespace wormhole::testing
