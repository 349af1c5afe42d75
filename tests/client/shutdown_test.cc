// The end of a Client: Shutdown.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/in_process_relay.h"
#include "tests/support/signal.h"
#include "tests/support/thread_count.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using Result = absl::StatusOr<std::string>;

constexpr absl::Duration kLong = absl::Minutes(1);

MATCHER(IsShutDown, "") {
  *result_listener << arg;
  return arg.code() == absl::StatusCode::kCancelled && ReasonOf(arg) == Reason::kCancelled &&
         absl::StrContains(arg.message(), "shut down");
}

class ShutdownTest : public ::testing::Test {
 protected:
  Options NewOptions() { return InProcessRelay::OptionsFor(client_); }
  Initiator NewInitiator() { return Initiator::Create(NewOptions(), "a").value(); }

  InProcessRelay relay_;
  const int threads_before_ = ThreadsOfThisProcess();
  std::shared_ptr<Client> client_ = relay_.MakeClient();
};

TEST_F(ShutdownTest, LeavesNoThread) {
  Initiator initiator = NewInitiator();
  auto receiver = Receiver::Create(NewOptions(), initiator.GetCode().value(), "b").value();
  ASSERT_EQ(receiver.GetData().value(), "a");
  ASSERT_EQ(initiator.GetData().value(), "b");
  EXPECT_EQ(client_->Shutdown(kLong), absl::OkStatus());
  EXPECT_LE(ThreadsOfThisProcess(), threads_before_);  // those of the test before may end late
  EXPECT_EQ(initiator.GetData().value(), "b");         // what was there stays
  EXPECT_EQ(client_->Shutdown(absl::ZeroDuration()), absl::OkStatus());
}

TEST_F(ShutdownTest, WaitersLearnOfItAndTheStateGoesOn) {
  Initiator initiator = NewInitiator();
  const std::string code = initiator.GetCode().value();
  Collector<absl::Status> statuses;
  std::thread waiter([&] { statuses.Add(initiator.GetData().status()); });
  EXPECT_EQ(client_->Shutdown(kLong), absl::OkStatus());
  waiter.join();
  EXPECT_THAT(statuses.Await(1)[0], IsShutDown());
  EXPECT_THAT(initiator.GetVerifier().status(), IsShutDown());
  EXPECT_EQ(initiator.GetCode().value(), code);
  initiator.Cancel();  // too late: the relay hears nothing of it
  EXPECT_THAT(initiator.Finish(), IsShutDown());
  const std::string state = initiator.Serialize().value();
  client_ = relay_.MakeClient();
  auto again = Initiator::FromSerialized(state, NewOptions()).value();
  auto receiver = Receiver::Create(NewOptions(), code, "b").value();
  EXPECT_EQ(again.GetData().value(), "b");
  EXPECT_EQ(receiver.GetData().value(), "a");
}

TEST_F(ShutdownTest, CallbacksThatWaitAreDestroyedAndNotRun) {
  Initiator initiator = NewInitiator();
  initiator.GetCode().value();
  std::atomic<int> ran = 0;
  auto held = std::make_shared<int>();
  const std::weak_ptr<int> callback = held;
  initiator.WhenData([&ran, held = std::move(held)](const Result&) { ++ran; });
  EXPECT_EQ(client_->Shutdown(kLong), absl::OkStatus());
  EXPECT_TRUE(callback.expired());
  EXPECT_EQ(ran, 0);
}

// Nobody who waits by way of a callback, a coroutine for one, is left without an answer.
TEST_F(ShutdownTest, CallbacksThatComeLaterRunInsideTheCall) {
  Initiator initiator = NewInitiator();
  const std::string code = initiator.GetCode().value();
  ASSERT_EQ(client_->Shutdown(kLong), absl::OkStatus());
  auto held = std::make_shared<int>();
  const std::weak_ptr<int> callback = held;
  Result seen = "";
  initiator.WhenData([&seen, held = std::move(held)](const Result& data) { seen = data; });
  EXPECT_THAT(seen.status(), IsShutDown());
  EXPECT_TRUE(callback.expired());
  initiator.WhenVerifier([&](const Result& words) { seen = words; });
  EXPECT_THAT(seen.status(), IsShutDown());
  initiator.WhenCode([&](const Result& value) { seen = value; });
  EXPECT_EQ(seen.value(), code);
  auto last = std::make_optional(std::move(initiator));
  last->WhenData([&](const Result&) { last.reset(); });  // may destroy its handle
  EXPECT_FALSE(last.has_value());
}

TEST_F(ShutdownTest, AlsoThoseOfAnExchangeThatWasOver) {
  Initiator initiator = NewInitiator();
  auto receiver = Receiver::Create(NewOptions(), initiator.GetCode().value(), "b").value();
  ASSERT_EQ(receiver.GetData().value(), "a");
  ASSERT_EQ(initiator.GetData().value(), "b");
  ASSERT_EQ(initiator.Finish(kLong), absl::OkStatus());
  ASSERT_EQ(client_->Shutdown(kLong), absl::OkStatus());
  Result seen = "";
  initiator.WhenData([&](const Result& data) { seen = data; });
  EXPECT_EQ(seen.value(), "b");
}

// What both sides of an exchange need to be over: each tells the relay.
class OverTest : public ShutdownTest {
 protected:
  void Meet() {
    ASSERT_EQ(receiver_.GetData().value(), "a");
    ASSERT_EQ(initiator_.GetData().value(), "b");
  }
  void Finish() {
    ASSERT_EQ(initiator_.Finish(kLong), absl::OkStatus());
    ASSERT_EQ(receiver_.Finish(kLong), absl::OkStatus());
  }

  Initiator initiator_ = NewInitiator();
  Receiver receiver_ = Receiver::Create(NewOptions(), initiator_.GetCode().value(), "b").value();
};

TEST_F(OverTest, CallbacksBehindARunningOneAreDestroyedAndNotRun) {
  Meet();
  Signal begun;
  Signal go_on;
  initiator_.WhenData([&](const Result&) {
    begun.Notify();
    go_on.Await();
  });
  std::atomic<int> ran = 0;
  auto held = std::make_shared<int>();
  const std::weak_ptr<int> callback = held;
  initiator_.WhenData([&ran, held = std::move(held)](const Result&) { ++ran; });
  begun.Await();
  Finish();
  EXPECT_EQ(client_->Shutdown(absl::ZeroDuration()).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(callback.expired());
  go_on.Notify();
  EXPECT_EQ(client_->Shutdown(kLong), absl::OkStatus());
  EXPECT_EQ(ran, 0);
}

// The deadline comes because of another exchange, and the executor goes on.
TEST_F(OverTest, NoCallbackStartsAfterTheDeadline) {
  Meet();
  Signal begun;
  Signal go_on;
  initiator_.WhenData([&](const Result&) {
    begun.Notify();
    go_on.Await();
  });
  std::atomic<int> ran = 0;
  initiator_.WhenData([&](const Result&) { ++ran; });
  begun.Await();
  Finish();
  Initiator other = NewInitiator();
  other.GetCode().value();
  relay_.transport().SetReachable(false);
  relay_.transport().CutAll();
  relay_.transport().AwaitNoStreams();
  other.Cancel();
  const absl::Status status = client_->Shutdown(absl::Milliseconds(20));
  EXPECT_THAT(std::string(status.message()), HasSubstr("1 exchange tells the relay"));
  go_on.Notify();
  EXPECT_EQ(client_->Shutdown(kLong), absl::OkStatus());
  EXPECT_EQ(ran, 0);
}

TEST_F(ShutdownTest, NoNewExchange) {
  Initiator initiator = NewInitiator();
  const std::string state = initiator.Serialize().value();
  ASSERT_EQ(client_->Shutdown(kLong), absl::OkStatus());
  for (const absl::Status& status :
       {Initiator::Create(NewOptions(), "a").status(),
        Receiver::Create(NewOptions(), "4-purple-sausages", "b").status(),
        Initiator::FromSerialized(state, NewOptions()).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_EQ(ReasonOf(status), Reason::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("shut down"));
  }
}

TEST_F(ShutdownTest, ACallbackMustNotCallIt) {
  Initiator initiator = NewInitiator();
  Collector<absl::Status> statuses;
  initiator.WhenCode([&](const Result&) {
    statuses.Add(client_->Shutdown(kLong));
    statuses.Add(ShutdownCommonClient(kLong));
  });
  for (const absl::Status& status : statuses.Await(2)) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(ReasonOf(status), Reason::kBlockingCall);
  }
  EXPECT_TRUE(NewInitiator().GetCode().ok());  // and nothing has happened
}

TEST_F(ShutdownTest, TheDeadlineNamesARunningCallback) {
  Initiator initiator = NewInitiator();
  Signal begun;
  Signal go_on;
  initiator.WhenCode([&](const Result&) {
    begun.Notify();
    go_on.Await();
  });
  begun.Await();
  const absl::Status status = client_->Shutdown(absl::Milliseconds(20));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr("a callback or hook of yours"));
  go_on.Notify();
  EXPECT_EQ(client_->Shutdown(kLong), absl::OkStatus());
  EXPECT_LE(ThreadsOfThisProcess(), threads_before_);  // those of the test before may end late
}

TEST_F(ShutdownTest, TheDeadlineNamesARunningHook) {
  Signal begun;
  Signal go_on;
  Options options = NewOptions();
  options.on_save = [&](std::string_view) {
    begun.Notify();
    go_on.Await();
    return absl::OkStatus();
  };
  auto initiator = Initiator::Create(options, "a").value();
  begun.Await();
  const absl::Status status = client_->Shutdown(absl::Milliseconds(20));
  EXPECT_THAT(std::string(status.message()), HasSubstr("a callback or hook of yours"));
  go_on.Notify();
  EXPECT_EQ(client_->Shutdown(kLong), absl::OkStatus());
}

TEST_F(ShutdownTest, TheDeadlineNamesExchangesThatTellTheRelay) {
  std::vector<Initiator> initiators;
  for (int i = 0; i < 2; ++i) {
    initiators.push_back(NewInitiator());
    initiators.back().GetCode().value();
  }
  relay_.transport().SetReachable(false);
  relay_.transport().CutAll();
  relay_.transport().AwaitNoStreams();
  for (Initiator& initiator : initiators) initiator.Cancel();
  const absl::Status status = client_->Shutdown(absl::Milliseconds(20));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr("2 exchanges tell the relay"));
  EXPECT_EQ(client_->Shutdown(kLong), absl::OkStatus());  // they have been dropped
}

TEST_F(ShutdownTest, AnExchangeThatWasGivenUpTellsTheRelayFirst) {
  Initiator initiator = NewInitiator();
  const std::string code = initiator.GetCode().value();
  initiator.Cancel();
  ASSERT_EQ(client_->Shutdown(kLong), absl::OkStatus());
  EXPECT_EQ(initiator.Finish(), absl::OkStatus());
  client_ = relay_.MakeClient();
  auto receiver = Receiver::Create(NewOptions(), code, "b").value();
  EXPECT_EQ(ReasonOf(receiver.GetData().status()), Reason::kNoSuchCode);
}

// Handles are made, used and destroyed, and several threads shut down, all at once.
TEST_F(ShutdownTest, BesideEverythingElse) {
  for (int round = 0; round < 20; ++round) {
    client_ = relay_.MakeClient();
    std::vector<std::thread> threads;
    std::atomic<int> refused = 0;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&, i] {
        while (true) {
          auto initiator = Initiator::Create(NewOptions(), "a");
          if (!initiator.ok()) {
            EXPECT_EQ(ReasonOf(initiator.status()), Reason::kInvalidArgument);
            ++refused;
            return;
          }
          initiator->WhenCode([](const Result&) {});
          if (i == 0) (void)initiator->GetCode();
          if (i == 1) initiator->Cancel();
        }
      });
    }
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] { EXPECT_EQ(client_->Shutdown(kLong), absl::OkStatus()); });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(refused, 3);
  }
  client_ = nullptr;
}

TEST_F(ShutdownTest, TheCommonClientMayBeNone) {
  EXPECT_EQ(ShutdownCommonClient(absl::ZeroDuration()), absl::OkStatus());
  EXPECT_EQ(ShutdownCommonClient(-kLong), absl::OkStatus());
  EXPECT_EQ(client_->Shutdown(absl::InfiniteDuration()), absl::OkStatus());
}

}  // namespace
}  // namespace wormhole::testing
