// The promises about callbacks: once, never inline, none after the destructor, no blocking in one.
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/in_process_relay.h"
#include "tests/support/signal.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

using ::testing::ElementsAre;
using Result = absl::StatusOr<std::string>;

class CallbacksTest : public ::testing::Test {
 protected:
  Options NewOptions() { return InProcessRelay::OptionsFor(client_); }
  Initiator NewInitiator() { return Initiator::Create(NewOptions(), "a").value(); }

  // Keeps every thread of the client busy until it is destroyed.
  class Busy {
   public:
    explicit Busy(std::shared_ptr<Client> client) {
      Options options = InProcessRelay::OptionsFor(std::move(client));
      for (int i = 0; i < 2; ++i) {
        holders_.push_back(Initiator::Create(options, "busy").value());
        holders_.back().WhenCode([started = started_, release = release_](Result) {
          started->Notify();
          release->Await();
        });
      }
      started_->Await(2);
    }
    ~Busy() { release_->Notify(); }

   private:
    std::vector<Initiator> holders_;
    const std::shared_ptr<Signal> started_ = std::make_shared<Signal>();
    const std::shared_ptr<Signal> release_ = std::make_shared<Signal>();
  };

  InProcessRelay relay_;
  std::shared_ptr<Client> client_ = relay_.MakeClient(2);
};

TEST_F(CallbacksTest, EachRunsOnceWithTheSameResultInAnyState) {
  Initiator initiator = NewInitiator();
  Collector<std::string> codes;
  initiator.WhenCode([&](Result code) { codes.Add(code.value()); });
  initiator.WhenCode([&](Result code) { codes.Add(code.value()); });
  const std::string code = initiator.GetCode().value();
  initiator.WhenCode([&](Result code) { codes.Add(code.value()); });
  EXPECT_THAT(codes.Await(3), ElementsAre(code, code, code));

  Collector<std::string> data;
  initiator.WhenData([&](Result result) { data.Add(result.value()); });
  auto receiver = Receiver::Create(NewOptions(), code, "b").value();
  receiver.WhenData([&](Result result) { data.Add(result.value()); });
  Signal verified;
  initiator.WhenVerifier([&](Result words) {
    EXPECT_TRUE(words.ok());
    verified.Notify();
  });
  verified.Await();
  EXPECT_THAT(data.Await(2), ::testing::UnorderedElementsAre("a", "b"));
  ASSERT_EQ(initiator.Finish(), absl::OkStatus());
  // Nothing ran a second time: a callback that is set now comes after all others.
  Signal last;
  initiator.WhenData([&](Result) { last.Notify(); });
  last.Await();
  EXPECT_EQ(codes.values().size(), 3u);
  EXPECT_EQ(data.values().size(), 2u);
}

TEST_F(CallbacksTest, NeverInsideTheCallThatSetsThem) {
  Initiator initiator = NewInitiator();
  ASSERT_TRUE(initiator.GetCode().ok());
  std::optional<std::thread::id> ran_on;
  Signal ran;
  {
    const Busy busy(client_);
    initiator.WhenCode([&](Result) {
      ran_on = std::this_thread::get_id();
      ran.Notify();
    });
    EXPECT_EQ(ran.count(), 0);
  }
  ran.Await();
  EXPECT_NE(*ran_on, std::this_thread::get_id());
}

TEST_F(CallbacksTest, NoneStartsAfterTheDestructor) {
  auto ran = std::make_shared<Signal>();
  auto owned = std::make_shared<int>(0);
  {
    std::optional<Initiator> initiator = NewInitiator();
    ASSERT_TRUE(initiator->GetCode().ok());
    const Busy busy(client_);
    initiator->WhenCode([ran, owned](Result) { ran->Notify(); });  // ready to run
    initiator->WhenData([ran, owned](Result) { ran->Notify(); });  // waiting for its value
    EXPECT_EQ(owned.use_count(), 3);
    initiator.reset();
    EXPECT_EQ(owned.use_count(), 1);  // and nothing keeps what they own
  }
  // What was posted before would have run by the time that later work has been done.
  ASSERT_TRUE(NewInitiator().GetCode().ok());
  EXPECT_EQ(ran->count(), 0);
}

TEST_F(CallbacksTest, AHandleMayBeDestroyedInItsOwnCallback) {
  auto initiator = std::make_shared<std::optional<Initiator>>(NewInitiator());
  Signal destroyed;
  auto never = std::make_shared<Signal>();
  {
    const Busy busy(client_);  // until both are set: the first one ends the handle
    (*initiator)->WhenCode([initiator, &destroyed](Result) {
      initiator->reset();
      destroyed.Notify();
    });
    (*initiator)->WhenCode([never](Result) { never->Notify(); });
  }
  destroyed.Await();
  ASSERT_TRUE(NewInitiator().GetCode().ok());
  EXPECT_EQ(never->count(), 0);
}

TEST_F(CallbacksTest, AHandleMayBeDestroyedWhileTheCallThatSetTheCallbackReturns) {
  for (int i = 0; i < 200; ++i) {
    auto initiator = std::make_shared<std::optional<Initiator>>(NewInitiator());
    ASSERT_TRUE((*initiator)->GetCode().ok());
    Initiator& handle = **initiator;
    Signal destroyed;
    handle.WhenCode([initiator, &destroyed](Result) {
      initiator->reset();
      destroyed.Notify();
    });
    destroyed.Await();
  }
}

TEST_F(CallbacksTest, TheLastOwnerOfAClientMayBeACallback) {
  Signal destroyed;
  {
    auto client = relay_.MakeClient(1);
    auto initiator = std::make_shared<std::optional<Initiator>>(
        Initiator::Create(InProcessRelay::OptionsFor(client), "a").value());
    Initiator& handle = **initiator;
    handle.WhenCode([initiator, client = std::move(client), &destroyed](Result) mutable {
      initiator->reset();
      client = nullptr;
      destroyed.Notify();
    });
  }
  destroyed.Await();
}

TEST_F(CallbacksTest, ABlockingCallFromOneIsAnError) {
  Initiator initiator = NewInitiator();
  Collector<absl::Status> statuses;
  initiator.WhenCode([&](Result) {
    statuses.Add(initiator.GetCode().status());
    statuses.Add(initiator.GetVerifier().status());
    statuses.Add(initiator.GetData().status());
    statuses.Add(initiator.Finish());
  });
  for (const absl::Status& status : statuses.Await(4)) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_EQ(ReasonOf(status), Reason::kBlockingCall);
  }
  // The same threads run the hook.
  Options options = NewOptions();
  Collector<absl::Status> from_hook;
  options.on_save = [&](std::string_view) {
    from_hook.Add(initiator.GetCode().status());
    return absl::OkStatus();
  };
  auto other = Initiator::Create(options, "a").value();
  EXPECT_EQ(ReasonOf(from_hook.Await(1).front()), Reason::kBlockingCall);
  ASSERT_TRUE(other.GetCode().ok());
}

TEST_F(CallbacksTest, AFullExchangeFromCallbacksAlone) {
  Signal done;
  Initiator initiator = NewInitiator();
  std::optional<Receiver> receiver;
  initiator.WhenCode([&](Result code) {
    receiver = Receiver::Create(NewOptions(), code.value(), "b").value();
    receiver->WhenData([&](Result data) {
      EXPECT_EQ(data.value(), "a");
      done.Notify();
    });
  });
  initiator.WhenData([&](Result data) {
    EXPECT_EQ(data.value(), "b");
    done.Notify();
  });
  done.Await(2);
}

TEST_F(CallbacksTest, ASlowCallbackHoldsUpNoOtherExchange) {
  // The callback may still be on its way out when the test is over.
  const auto started = std::make_shared<Signal>(), release = std::make_shared<Signal>();
  Initiator slow = NewInitiator();
  slow.WhenCode([started, release](Result) {
    started->Notify();
    release->Await();
  });
  started->Await();
  Initiator initiator = NewInitiator();
  auto receiver = Receiver::Create(NewOptions(), initiator.GetCode().value(), "b").value();
  EXPECT_TRUE(initiator.GetData().ok());
  release->Notify();
  ASSERT_TRUE(receiver.GetData().ok());
}

TEST_F(CallbacksTest, AnEmptyCallbackIsNone) {
  Initiator initiator = NewInitiator();
  initiator.WhenCode(nullptr);
  initiator.WhenData({});
  ASSERT_TRUE(initiator.GetCode().ok());
  initiator.WhenCode(nullptr);
}

// wormhole.h says so.
TEST(CallbacksDeathTest, AnExceptionOfACallbackOrHookEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto run = [](bool in_hook) {
    InProcessRelay relay;
    Options options = InProcessRelay::OptionsFor(relay.MakeClient());
    if (in_hook) options.on_save = [](std::string_view) -> absl::Status { throw 1; };
    auto initiator = Initiator::Create(options, "a").value();
    initiator.WhenCode([](const Result&) { throw 1; });
    (void)initiator.GetData();
  };
  EXPECT_DEATH(run(false), "terminate called after throwing");
  EXPECT_DEATH(run(true), "terminate called after throwing");
}

}  // namespace
}  // namespace wormhole::testing
