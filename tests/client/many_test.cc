// Many exchanges over one client with two threads.
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/client/in_process_relay.h"
#include "tests/support/signal.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

using Result = absl::StatusOr<std::string>;

class ManyTest : public ::testing::Test {
 protected:
  Options NewOptions() { return InProcessRelay::OptionsFor(client_); }

  InProcessRelay relay_;
  std::shared_ptr<Client> client_ = relay_.MakeClient(2);
};

// Each pair by callbacks alone; half of the handles go inside of their last callback.
TEST_F(ManyTest, HundredsAtOnce) {
  constexpr int kPairs = 150;
  struct Pair {
    sync::Mutex mutex;  // the code's callback may run while the pair is being set up
    std::optional<Initiator> initiator;
    std::optional<Receiver> receiver;
  };
  std::vector<Pair> pairs(kPairs);
  Signal done;
  for (int i = 0; i < kPairs; ++i) {
    Pair& pair = pairs[i];
    const std::string ours = absl::StrCat("initiator ", i), theirs = absl::StrCat("receiver ", i);
    pair.initiator = Initiator::Create(NewOptions(), ours).value();
    pair.initiator->WhenCode([&, ours, theirs](Result code) {
      sync::MutexLock lock(pair.mutex);
      pair.receiver = Receiver::Create(NewOptions(), code.value(), theirs).value();
      pair.receiver->WhenData([&, ours](Result data) {
        EXPECT_EQ(data.value(), ours);
        done.Notify();
      });
    });
    pair.initiator->WhenData([&, i, theirs](Result data) {
      EXPECT_EQ(data.value(), theirs);
      if (i % 2 == 0) pair.initiator.reset();
      done.Notify();
    });
  }
  done.Await(2 * kPairs);
}

// Creation, cancelling and destruction from several threads while the network breaks again and
// again: nothing hangs, and what is left finishes.
TEST_F(ManyTest, AmidCutsAndCancels) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 12;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (int round = 0; round < kRounds; ++round) {
        auto initiator = Initiator::Create(NewOptions(), "a").value();
        const std::string code = initiator.GetCode().value();
        auto receiver = Receiver::Create(NewOptions(), code, "b").value();
        if ((t + round) % 3 == 0) relay_.transport().CutAll();
        if ((t + round) % 4 == 0) {
          receiver.Cancel();  // the initiator may never hear of it: it may have come too early
          const Result data = receiver.GetData();
          EXPECT_TRUE(data.status().code() == absl::StatusCode::kCancelled || *data == "a");
        } else {
          EXPECT_EQ(initiator.GetData().value(), "b");
          EXPECT_EQ(receiver.GetData().value(), "a");
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace wormhole::testing
