// Cancel, timeout, destruction and moving.
#include <array>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/in_process_relay.h"
#include "tests/support/short_lived_exchange.h"
#include "tests/support/signal.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

// A Party that was moved out of a Receiver would be neither side.
static_assert(std::is_nothrow_move_constructible_v<Receiver>);
static_assert(std::is_nothrow_move_assignable_v<Initiator>);
static_assert(!std::is_move_constructible_v<Party> && !std::is_move_assignable_v<Party>);
static_assert(!std::is_destructible_v<Party>);

using Result = absl::StatusOr<std::string>;

class LifecycleTest : public ::testing::Test {
 protected:
  Options NewOptions() { return InProcessRelay::OptionsFor(client_); }
  Initiator NewInitiator() { return Initiator::Create(NewOptions(), "a").value(); }

  InProcessRelay relay_;
  std::shared_ptr<Client> client_ = relay_.MakeClient();
};

TEST_F(LifecycleTest, CancelReachesEveryWaiterAndThePeer) {
  Initiator initiator = NewInitiator();
  const std::string code = initiator.GetCode().value();
  Options options = NewOptions();
  options.confirm_verifier = true;
  auto receiver = Receiver::Create(options, code, "b").value();
  ASSERT_TRUE(receiver.GetVerifier().ok());
  Collector<absl::Status> statuses;
  std::vector<std::thread> waiters;
  for (int i = 0; i < 3; ++i) {
    waiters.emplace_back([&] { statuses.Add(initiator.GetData().status()); });
  }
  initiator.WhenData([&](Result data) { statuses.Add(data.status()); });
  initiator.Cancel();
  for (std::thread& waiter : waiters) waiter.join();
  for (const absl::Status& status : statuses.Await(4)) {
    EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
    EXPECT_EQ(ReasonOf(status), Reason::kCancelled);
  }
  EXPECT_EQ(initiator.Finish(), absl::OkStatus());
  EXPECT_EQ(ReasonOf(receiver.GetData().status()), Reason::kPeerGaveUp);
}

// The relay has given it nothing yet that it would have to hear of.
TEST_F(LifecycleTest, AWaiterThatWasCancelledHasNothingToTell) {
  Options options = NewOptions();
  options.wait = true;
  Signal waiting;
  options.on_progress = [&](const ProgressEvent& event) {
    if (event.kind == ProgressEvent::Kind::kWaiting) waiting.Notify();
  };
  auto receiver = Receiver::Create(options, "77-zoo-zoo", "b").value();
  waiting.Await();
  receiver.Cancel();
  EXPECT_EQ(ReasonOf(receiver.GetData().status()), Reason::kCancelled);
  EXPECT_EQ(receiver.Finish(), absl::OkStatus());
}

TEST_F(LifecycleTest, CancelOfAFinishedExchangeChangesNothing) {
  Initiator initiator = NewInitiator();
  auto receiver = Receiver::Create(NewOptions(), initiator.GetCode().value(), "b").value();
  ASSERT_EQ(initiator.GetData().value(), "b");
  initiator.Cancel();
  EXPECT_EQ(initiator.GetData().value(), "b");
  EXPECT_EQ(receiver.GetData().value(), "a");
}

TEST_F(LifecycleTest, TheTimeoutReachesEveryWaiterAndClosesTheChannel) {
  auto short_lived = MakeShortLivedExchange(NewOptions());
  ASSERT_TRUE(short_lived.ok()) << short_lived.status();
  Initiator& initiator = short_lived->initiator;
  Collector<absl::Status> statuses;
  std::thread waiter([&] { statuses.Add(initiator.GetVerifier().status()); });
  initiator.WhenData([&](Result data) { statuses.Add(data.status()); });
  statuses.Add(initiator.GetData().status());
  waiter.join();
  for (const absl::Status& status : statuses.Await(3)) {
    EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
    EXPECT_EQ(ReasonOf(status), Reason::kTimeout);
  }
  EXPECT_EQ(initiator.GetCode(), Result(short_lived->code));  // what was there stays
  EXPECT_EQ(initiator.Finish(), absl::OkStatus());
  auto late = Receiver::Create(NewOptions(), short_lived->code, "b").value();
  EXPECT_FALSE(late.GetData().ok());
}

TEST_F(LifecycleTest, ACancelledExchangeTellsTheRelayWithoutItsHandle) {
  std::string code;
  {
    Initiator initiator = NewInitiator();
    code = initiator.GetCode().value();
    initiator.Cancel();
  }
  relay_.transport().AwaitNoStreams();
  auto receiver = Receiver::Create(NewOptions(), code, "b").value();
  const absl::Status status = receiver.GetData().status();
  EXPECT_EQ(ReasonOf(status), Reason::kNoSuchCode) << status;
}

// Neither does an unfinished one close its channel, nor a finished one keep the relay waiting.
TEST_F(LifecycleTest, DestructionClosesNothingThatIsUnfinished) {
  std::string state, code;
  {
    Initiator initiator = NewInitiator();
    code = initiator.GetCode().value();
    state = initiator.Serialize().value();
  }
  relay_.transport().AwaitNoStreams();
  auto receiver = Receiver::Create(NewOptions(), code, "b").value();
  auto again = Initiator::FromSerialized(state, NewOptions());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->GetData().value(), "b");
  EXPECT_EQ(receiver.GetData().value(), "a");
}

TEST_F(LifecycleTest, AFinishedExchangeSaysGoodbyeInTheBackground) {
  {
    Initiator initiator = NewInitiator();
    auto receiver = Receiver::Create(NewOptions(), initiator.GetCode().value(), "b").value();
    ASSERT_TRUE(initiator.GetData().ok());
    ASSERT_TRUE(receiver.GetData().ok());
  }
  relay_.transport().AwaitNoStreams();
}

TEST_F(LifecycleTest, AHandleOutlivesItsClient) {
  Initiator initiator = NewInitiator();
  const std::string code = initiator.GetCode().value();
  client_ = nullptr;
  auto other = relay_.MakeClient();
  auto receiver = Receiver::Create(InProcessRelay::OptionsFor(other), code, "b").value();
  EXPECT_EQ(initiator.GetData().value(), "b");
  EXPECT_EQ(receiver.GetData().value(), "a");
}

TEST_F(LifecycleTest, MovedFromHandlesAnswer) {
  Initiator initiator = NewInitiator();
  Initiator moved = std::move(initiator);
  ASSERT_TRUE(moved.GetCode().ok());
  std::array<unsigned char, 32> key{};
  for (const absl::Status& status :  // NOLINTNEXTLINE(bugprone-use-after-move): what this is about
       {initiator.GetCode().status(), initiator.GetData().status(),
        initiator.GetVerifier().status(), initiator.Verifier().status(),
        initiator.Serialize().status(), initiator.Finish(),
        initiator.SerializeSealed(key.data(), key.size()).status(),
        initiator.DeriveKey("p", key.data(), key.size())}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  }
  initiator.Cancel();
  initiator.AcceptVerifier(true);
  initiator.WhenCode([](Result) { ADD_FAILURE(); });
  initiator.WhenData([](Result) { ADD_FAILURE(); });
  initiator.WhenVerifier([](Result) { ADD_FAILURE(); });

  Initiator other = NewInitiator();
  const std::string code = other.GetCode().value();
  moved = std::move(other);  // lets go of the first exchange
  EXPECT_EQ(moved.GetCode().value(), code);
  Initiator& self = moved;
  moved = std::move(self);
  EXPECT_EQ(moved.GetCode().value(), code);
}

TEST_F(LifecycleTest, ADestructorDoesNotWaitForAHook) {
  auto started = std::make_shared<Signal>(), release = std::make_shared<Signal>();
  {
    Options options = NewOptions();
    options.on_save = [started, release](std::string_view) {
      started->Notify();
      release->Await();
      return absl::OkStatus();
    };
    auto initiator = Initiator::Create(options, "a").value();
    started->Await();
  }
  release->Notify();
  ASSERT_TRUE(NewInitiator().GetCode().ok());
  EXPECT_EQ(started->count(), 1);
}

TEST_F(LifecycleTest, ThreadsUseOneHandleAtOnce) {
  Options options = NewOptions();
  Initiator initiator = NewInitiator();
  const std::string code = initiator.GetCode().value();
  Signal go;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      go.Await();
      std::array<unsigned char, 32> key;
      for (int round = 0; round < 20; ++round) {
        EXPECT_TRUE(initiator.Serialize().ok());
        (void)initiator.Verifier();
        (void)initiator.DeriveKey("p", key.data(), key.size());
        initiator.WhenData([](Result data) { EXPECT_EQ(data.value(), "b"); });
      }
      EXPECT_EQ(initiator.GetData().value(), "b");
    });
  }
  go.Notify();
  auto receiver = Receiver::Create(options, code, "b").value();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(receiver.GetData().value(), "a");
}

}  // namespace
}  // namespace wormhole::testing
