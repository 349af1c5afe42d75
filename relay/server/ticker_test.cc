#include "relay/server/ticker.h"

#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "relay/rendezvous/live_streams.h"

namespace wormhole::relay {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(TickerTest, TicksUntilItIsDestroyed) {
  std::promise<void> third;
  std::atomic<int> ticks = 0;
  {
    const Ticker ticker(milliseconds(1), [&] {
      if (++ticks == 3) third.set_value();
    });
    third.get_future().wait();
  }
  const int at_its_end = ticks;
  EXPECT_GE(at_its_end, 3);
}

TEST(TickerTest, ItsEndDoesNotWaitForTheNextTick) {
  const auto began = steady_clock::now();
  {
    const Ticker ticker(std::chrono::hours(1), [] { FAIL(); });
  }
  EXPECT_LT(steady_clock::now() - began, std::chrono::minutes(30));
}

TEST(LiveStreamsTest, AConnectionHasOneUntilItsLastIsOver) {
  LiveStreams streams;
  streams.Enter("a");
  streams.Enter("a");
  streams.Enter("b");
  streams.Leave("a");
  streams.Leave("b");
  EXPECT_TRUE(streams.Has("a"));
  EXPECT_FALSE(streams.Has("b"));
  streams.Leave("a");
  EXPECT_FALSE(streams.Has("a"));
}

TEST(LiveStreamsTest, AWaiterLearnsOfTheLast) {
  LiveStreams streams;
  EXPECT_TRUE(streams.AwaitNone(steady_clock::time_point::min()));
  for (int i = 0; i < 100; ++i) streams.Enter("a");
  EXPECT_FALSE(streams.AwaitNone(steady_clock::now()));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&streams] {
      for (int i = 0; i < 25; ++i) {
        streams.Enter("b");
        streams.Leave("b");
        streams.Leave("a");
      }
    });
  }
  EXPECT_TRUE(streams.AwaitNone(steady_clock::time_point::max()));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(streams.count(), 0u);
}

}  // namespace
}  // namespace wormhole::relay
