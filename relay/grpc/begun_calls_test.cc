#include "relay/grpc/begun_calls.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/impl/codegen/client_unary_call.h"
#include "grpcpp/impl/codegen/rpc_method.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

class BegunCallsTest : public ::testing::Test {
 protected:
  BegunCallsTest() {
    calls_.SetTooMany([this] { ++told_; });
  }

  void Begin(int count) {
    for (int i = 0; i < count; ++i) EXPECT_EQ(calls_.NewCallbackServerContext(), nullptr);
  }
  void End(int count) {
    for (int i = 0; i < count; ++i)
      calls_.Release(static_cast<grpc::CallbackServerContext*>(nullptr));
  }

  size_t in_hand_ = 0;
  int told_ = 0;
  BegunCalls calls_{10, [this] { return in_hand_; }};
};

TEST_F(BegunCallsTest, TellsOfTheFirstThatIsOneTooManyAndOfEachSixteenthAfterIt) {
  Begin(10);
  EXPECT_EQ(told_, 0);
  Begin(1);
  EXPECT_EQ(told_, 1);
  Begin(15);
  EXPECT_EQ(told_, 1);
  Begin(1);
  EXPECT_EQ(told_, 2);
}

TEST_F(BegunCallsTest, TellsAgainWhenThereWereFewerMeanwhile) {
  Begin(11);
  EXPECT_EQ(told_, 1);
  End(2);
  Begin(1);
  EXPECT_EQ(told_, 1);
  Begin(1);
  EXPECT_EQ(told_, 2);
}

TEST_F(BegunCallsTest, ThoseThatAreOverDoNotCount) {
  Begin(10);
  End(5);
  Begin(5);
  EXPECT_EQ(told_, 0);
  EXPECT_EQ(calls_.NewGenericCallbackServerContext(), nullptr);
  EXPECT_EQ(told_, 1);
  calls_.Release(static_cast<grpc::GenericCallbackServerContext*>(nullptr));
}

TEST_F(BegunCallsTest, NorDoThoseThatServicesHaveInHand) {
  in_hand_ = 20;
  Begin(30);
  EXPECT_EQ(told_, 0);
  Begin(1);
  EXPECT_EQ(told_, 1);
}

// Each kind of call. gRPC ends them a little later than their clients hear; if it never did, every
// sixteenth would be told of in the end.
TEST(BegunCalls, ComeToAnEndInGrpc) {
  class Checks final : public Health::CallbackService {
    grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const HealthCheckRequest*,
                                    HealthCheckResponse*) override {
      grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
      reactor->Finish(grpc::Status::OK);
      return reactor;
    }
    grpc::ServerWriteReactor<HealthCheckResponse>* Watch(grpc::CallbackServerContext*,
                                                         const HealthCheckRequest*) override {
      class Ended final : public grpc::ServerWriteReactor<HealthCheckResponse> {
       public:
        Ended() { Finish(grpc::Status::OK); }
        void OnDone() override { delete this; }
      };
      return new Ended;
    }
  };
  class Others final : public grpc::CallbackGenericService {
    grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
      class Ended final : public grpc::ServerGenericBidiReactor {
       public:
        Ended() { Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "")); }
        void OnDone() override { delete this; }
      };
      return new Ended;
    }
  };
  std::atomic<int> told = 0;
  auto calls = std::make_unique<BegunCalls>(30, nullptr);
  calls->SetTooMany([&] { ++told; });
  Checks checks;
  Others others;
  grpc::ServerBuilder builder;
  builder.RegisterService(&checks);
  builder.RegisterCallbackGenericService(&others);
  builder.SetContextAllocator(std::move(calls));
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const std::shared_ptr<grpc::Channel> channel = server->InProcessChannel({});
  const auto health = Health::NewStub(channel);
  const grpc::internal::RpcMethod nobodys("/nobodys.Service/Method",
                                          grpc::internal::RpcMethod::NORMAL_RPC, channel);
  const auto call_all = [&] {
    HealthCheckResponse response;
    grpc::ClientContext check;
    EXPECT_TRUE(health->Check(&check, {}, &response).ok());
    grpc::ClientContext watch;
    EXPECT_TRUE(health->Watch(&watch, {})->Finish().ok());
    grpc::ClientContext other;
    const grpc::Status status = grpc::internal::BlockingUnaryCall(channel.get(), nobodys, &other,
                                                                  HealthCheckRequest(), &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  };
  for (int i = 0; i < 100; ++i) call_all();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  int before = -1;
  while (before != told) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    before = told;
    for (int i = 0; i < 16; ++i) call_all();
  }
}

TEST(BegunCalls, WithoutServicesAllCountAndNobodyNeedBeTold) {
  BegunCalls calls(1, nullptr);
  calls.NewCallbackServerContext();
  calls.NewCallbackServerContext();
  int told = 0;
  calls.SetTooMany([&] { ++told; });
  for (int i = 0; i < 16; ++i) calls.NewCallbackServerContext();
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace wormhole::relay
