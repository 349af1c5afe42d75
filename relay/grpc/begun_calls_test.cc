#include "relay/grpc/begun_calls.h"

#include <cstddef>

#include "grpcpp/generic/async_generic_service.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

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

  size_t let_in_ = 0;
  int told_ = 0;
  BegunCalls calls_{10, [this] { return let_in_; }};
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

TEST_F(BegunCallsTest, ThoseThatAreOverDoNotCount) {
  Begin(10);
  End(5);
  Begin(5);
  EXPECT_EQ(told_, 0);
  EXPECT_EQ(calls_.NewGenericCallbackServerContext(), nullptr);
  EXPECT_EQ(told_, 1);
  calls_.Release(static_cast<grpc::GenericCallbackServerContext*>(nullptr));
}

TEST_F(BegunCallsTest, NorDoThoseThatServicesHaveLetIn) {
  let_in_ = 20;
  Begin(30);
  EXPECT_EQ(told_, 0);
  Begin(1);
  EXPECT_EQ(told_, 1);
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
