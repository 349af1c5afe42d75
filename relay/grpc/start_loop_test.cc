#include "relay/grpc/start_loop.h"

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using Operations = std::vector<int>;

// A reactor whose operations are numbers, started in the order in which they were noted. 0 ends it:
// after that it starts nothing.
class Reactor : public std::enable_shared_from_this<Reactor> {
 public:
  // `on_start` stands for gRPC, inside the call that starts an operation.
  explicit Reactor(std::function<void(Reactor&, int)> on_start = [](Reactor&, int) {})
      : on_start_(std::move(on_start)) {}

  void Note(int operation) {
    sync::MutexLock lock(mutex_);
    noted_.push_back(operation);
  }

  void Flush() {
    loop_.Run(
        shared_from_this(),
        [this] {
          mutex_.AssumeHeld();
          return Next();
        },
        [this](int operation) { Start(operation); });
  }

  void NoteAndFlush(int operation) {
    Note(operation);
    Flush();
  }

  void Forget() {
    sync::MutexLock lock(mutex_);
    started_.clear();
  }

  Operations started() const {
    sync::MutexLock lock(mutex_);
    return started_;
  }

 private:
  std::optional<int> Next() WORMHOLE_REQUIRES(mutex_) {
    if (ended_ || noted_.empty()) return std::nullopt;
    const int operation = noted_.front();
    noted_.erase(noted_.begin());
    ended_ = operation == 0;
    return operation;
  }

  void Start(int operation) WORMHOLE_EXCLUDES(mutex_) {
    EXPECT_FALSE(std::exchange(starting_, true)) << "two threads start things";
    {
      sync::MutexLock lock(mutex_);
      started_.push_back(operation);
    }
    on_start_(*this, operation);
    starting_ = false;
  }

  const std::function<void(Reactor&, int)> on_start_;
  bool starting_ = false;  // without a lock: for the loop and ThreadSanitizer to keep apart
  mutable sync::Mutex mutex_;
  StartLoop loop_{mutex_};
  Operations noted_ WORMHOLE_GUARDED_BY(mutex_);
  Operations started_ WORMHOLE_GUARDED_BY(mutex_);
  bool ended_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

TEST(StartLoopTest, StartsAllThatIsNotedInOrder) {
  const auto reactor = std::make_shared<Reactor>();
  reactor->Flush();
  EXPECT_EQ(reactor->started(), Operations());
  reactor->Note(1);
  reactor->Note(2);
  EXPECT_EQ(reactor->started(), Operations());
  reactor->Flush();
  EXPECT_EQ(reactor->started(), (Operations{1, 2}));
  reactor->NoteAndFlush(3);
  EXPECT_EQ(reactor->started(), (Operations{1, 2, 3}));
}

// gRPC runs a reaction inside the call that starts an operation. What the reaction notes is started
// after that call has returned, not inside of it.
TEST(StartLoopTest, WhatAReactionNotesInsideAStartFollowsIt) {
  Operations begun, returned;
  const auto reactor = std::make_shared<Reactor>([&](Reactor& self, int operation) {
    begun.push_back(operation);
    if (operation < 4) self.NoteAndFlush(operation + 1);
    EXPECT_EQ(begun.back(), operation);
    returned.push_back(operation);
  });
  reactor->NoteAndFlush(1);
  EXPECT_EQ(begun, (Operations{1, 2, 3, 4}));
  EXPECT_EQ(returned, begun);
}

// A thread that comes while another one starts something does not wait for it, and leaves what it
// noted to it.
TEST(StartLoopTest, WhatAnotherThreadNotesDuringAStartIsLeftToTheLoop) {
  std::promise<void> in_start, go_on;
  std::thread::id starter_of[3];
  const auto reactor = std::make_shared<Reactor>([&](Reactor&, int operation) {
    starter_of[operation] = std::this_thread::get_id();
    if (operation != 1) return;
    in_start.set_value();
    go_on.get_future().wait();
  });
  std::thread first([&] { reactor->NoteAndFlush(1); });
  const std::thread::id first_id = first.get_id();
  in_start.get_future().wait();
  reactor->NoteAndFlush(2);  // returns, though 1 is still being started
  EXPECT_EQ(reactor->started(), Operations{1});
  go_on.set_value();
  first.join();
  EXPECT_EQ(reactor->started(), (Operations{1, 2}));
  EXPECT_EQ(starter_of[2], first_id);
}

// The end is noted while something else is being started, as when a client cancels.
TEST(StartLoopTest, AnEndThatIsNotedDuringAStartComesAfterIt) {
  const auto reactor = std::make_shared<Reactor>([](Reactor& self, int operation) {
    if (operation == 1) self.NoteAndFlush(0);
  });
  reactor->NoteAndFlush(1);
  EXPECT_EQ(reactor->started(), (Operations{1, 0}));
  reactor->NoteAndFlush(2);
  EXPECT_EQ(reactor->started(), (Operations{1, 0})) << "nothing is started after the end";
}

// The call's end may take the last other pointer to the reactor, and may do so inside Finish.
TEST(StartLoopTest, KeepsTheReactorUntilTheLoopIsOver) {
  std::shared_ptr<Reactor> owner;
  std::weak_ptr<Reactor> watched;
  owner = std::make_shared<Reactor>([&](Reactor&, int) {
    owner.reset();
    EXPECT_FALSE(watched.expired()) << "the loop has still to ask what is next";
  });
  watched = owner;
  owner->NoteAndFlush(0);
  EXPECT_TRUE(watched.expired());
}

// What is noted while the loop ends is neither lost nor started twice, whoever comes out of the
// race as the one to start it. Each round ends with both threads' calls, so that no later call
// makes up for what one left behind.
TEST(StartLoopTest, NothingIsLostBetweenThreads) {
  constexpr int kRounds = 5000;
  const auto reactor = std::make_shared<Reactor>();
  std::barrier round(2);
  const auto note_and_flush = [&](bool checks) {
    for (int i = 0; i < kRounds; ++i) {
      reactor->NoteAndFlush(1);
      round.arrive_and_wait();
      if (checks) {
        EXPECT_EQ(reactor->started().size(), size_t{2});
        reactor->Forget();
      }
      round.arrive_and_wait();
    }
  };
  std::thread other([&] { note_and_flush(false); });
  note_and_flush(true);
  other.join();
}

// The same with an end in the middle: one thread starts it, and nothing follows it.
TEST(StartLoopTest, NothingFollowsAnEndThatRacesWithNotes) {
  for (int round = 0; round < 200; ++round) {
    std::weak_ptr<Reactor> watched;
    {
      const auto reactor = std::make_shared<Reactor>();
      watched = reactor;
      std::vector<std::thread> threads;
      for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
          for (int i = 0; i < 20; ++i) reactor->NoteAndFlush(t == 0 && i == 10 ? 0 : 1);
        });
      }
      for (std::thread& thread : threads) thread.join();
      const Operations started = reactor->started();
      ASSERT_EQ(std::count(started.begin(), started.end(), 0), 1);
      EXPECT_EQ(started.back(), 0);
    }
    EXPECT_TRUE(watched.expired());
  }
}

}  // namespace
}  // namespace wormhole::relay
