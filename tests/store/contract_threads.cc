// Order, threads and the end.
#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/contract.h"

namespace wormhole::relay {
namespace {

using ::testing::Each;
using ::testing::Eq;

TEST_P(StoreContractTest, CallsTakeEffectInTheOrderInWhichTheyWereMade) {
  Store& store = under_test_->store();
  std::vector<std::string> answers;  // of the store's thread until the last call is answered
  const auto note = [&answers](std::string what) { answers.push_back(std::move(what)); };
  store.Put(key_, 0, Record("i"), {}, [&](auto put) { note(put.ok() ? "put" : "failed"); });
  for (uint64_t n = 1; n <= 3; ++n) {
    store.Append(key_, 1, kInitiator, n, "x", [&, n](absl::StatusOr<AppendResult> result) {
      note("append " + std::to_string(n) + (result->log.stored == n ? "" : " wrong"));
    });
  }
  store.Put(key_, 1, Record("i", "r"), {}, [&](auto) { note("claim"); });
  store.Append(key_, 1, kInitiator, 4, "x", [&](absl::StatusOr<AppendResult> result) {
    note(result->outcome == AppendOutcome::kStale ? "stale" : "not stale");
  });
  store.Read(key_, kInitiator, 0, 100,
             [&](auto frames) { note("read " + std::to_string(frames->size())); });
  Call().Load(key_);  // answered after the others
  EXPECT_THAT(answers, ::testing::ElementsAre("put", "append 1", "append 2", "append 3", "claim",
                                              "stale", "read 3"));
}

TEST_P(StoreContractTest, ACallMayBeMadeUnderALockThatItsAnswerTakes) {
  std::mutex mutex;
  bool answered = false;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    under_test_->store().Load(key_, [&](auto) {
      const std::lock_guard<std::mutex> answer_lock(mutex);
      answered = true;
    });
  }
  Call().Load(key_);  // answered after the other
  EXPECT_TRUE(answered);
}

TEST_P(StoreContractTest, AnAnswerMayMakeTheNextCall) {
  Store& store = under_test_->store();
  const auto stored = std::make_shared<std::promise<uint64_t>>();
  store.Put(key_, 0, Record("i"), {}, [&store, stored, this](auto) {
    store.Append(key_, 1, kInitiator, 1, "x", [&store, stored, this](auto) {
      store.Load(key_,
                 [stored](auto loaded) { stored->set_value((*loaded)->log(kInitiator).stored); });
    });
  });
  store.Flush();
  EXPECT_EQ(stored->get_future().get(), 1u);
}

// Each thread owns the initiator's log of one channel and reads another's; all fight for one more
// channel by version.
TEST_P(StoreContractTest, FourThreadsAtOnce) {
  constexpr int kThreads = 4;
  constexpr uint64_t kFrames = 50;
  std::atomic<int> won = 0;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t, &won] {
      BlockingStore store = Call();
      const std::string name(1, static_cast<char>('a' + t));
      const ChannelKey own = {key_.app_id, static_cast<uint32_t>(100 + t)};
      const ChannelKey others = {key_.app_id, static_cast<uint32_t>(100 + (t + 1) % kThreads)};
      EXPECT_EQ(store.Put(own, 0, Record(name)), PutOutcome::kDone);
      if (store.Put(key_, 0, Record("owner " + name)) == PutOutcome::kDone) ++won;
      for (uint64_t n = 1; n <= kFrames; ++n) {
        const AppendResult result = store.Append(own, 1, kInitiator, n, name);
        EXPECT_EQ(result.outcome, AppendOutcome::kDone);
        EXPECT_EQ(result.log.stored, n);
        for (const StoredFrame& frame : store.Read(others, kInitiator)) {
          EXPECT_EQ(frame.frame.size(), 1u);
        }
        if (n % 8 == 0) {
          EXPECT_TRUE(store.Accept(own, kInitiator, n - 4).ok());
        }
        store.Due(At(0), 10);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won.load(), 1);
  for (int t = 0; t < kThreads; ++t) {
    const auto loaded = Call().Load({key_.app_id, static_cast<uint32_t>(100 + t)});
    EXPECT_EQ(loaded->log(kInitiator).stored, kFrames);
    EXPECT_EQ(loaded->log(kInitiator).forgotten, 44u);
  }
}

TEST_P(StoreContractTest, EveryCallIsAnsweredBeforeTheStoreIsGone) {
  std::vector<bool> answered(500, false);
  {
    const std::unique_ptr<StoreUnderTest> other = GetParam()();
    other->store().Put(key_, 0, Record("i"), {}, [](auto) {});
    for (size_t n = 0; n < answered.size(); ++n) {
      other->store().Append(key_, 1, kInitiator, n + 1, "x",
                            [&answered, n](auto) { answered[n] = true; });
    }
  }
  EXPECT_THAT(answered, Each(Eq(true)));
}

}  // namespace
}  // namespace wormhole::relay
