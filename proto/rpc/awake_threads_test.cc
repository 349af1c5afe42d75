#include "proto/rpc/awake_threads.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>
#include <pthread.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "gtest/gtest.h"
#include "proto/sync/mutex.h"

namespace wormhole::rpc {
namespace {

using std::chrono::milliseconds;

std::string NameOfThisThread() {
  char name[16] = "";
  pthread_getname_np(pthread_self(), name, sizeof(name));
  return name;
}

// What gRPC calls the threads that run reactions.
std::string NameOfReactingThreads() {
  grpc::GenericStub stub(grpc::CreateChannel("none", nullptr));
  grpc::ClientContext context;
  const grpc::Slice slice("a");
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  std::promise<std::string> name;
  stub.UnaryCall(&context, "/test", grpc::StubOptions(), &request, &response,
                 [&](const grpc::Status&) { name.set_value(NameOfThisThread()); });
  return name.get_future().get();
}

// Time passes when the test says so.
class HandTimer {
 public:
  struct Pause {
    std::string asked_by;  // a thread's name
    milliseconds length;
    std::function<void()> then;
  };

  void Set(milliseconds length, std::function<void()> then) {
    sync::MutexLock lock(mutex_);
    EXPECT_FALSE(pause_.has_value()) << "two at once";
    pause_ = Pause{NameOfThisThread(), length, std::move(then)};
    asked_.NotifyAll();
  }

  Pause AwaitPause() {
    sync::MutexLock lock(mutex_);
    while (!pause_.has_value()) asked_.Wait(mutex_);
    return *std::exchange(pause_, std::nullopt);
  }

 private:
  sync::Mutex mutex_;
  sync::CondVar asked_;
  std::optional<Pause> pause_ WORMHOLE_GUARDED_BY(mutex_);
};

AwakeThreads::Timer TimerOf(std::shared_ptr<HandTimer> timer) {
  return [timer = std::move(timer)](milliseconds pause, std::function<void()> then) {
    timer->Set(pause, std::move(then));
  };
}

// How late a reaction is without it is gRPC's time, and measured by tests/bench --sections=idle.
TEST(AwakeThreadsTest, AReactingThreadRunsBeforeEachWouldSleep) {
  const std::string reacting = NameOfReactingThreads();
  ASSERT_NE(reacting, NameOfThisThread());
  const auto timer = std::make_shared<HandTimer>();
  auto awake = std::make_unique<AwakeThreads>(TimerOf(timer));
  for (int i = 0; i < 5; ++i) {
    const HandTimer::Pause pause = timer->AwaitPause();
    EXPECT_EQ(pause.asked_by, reacting);
    EXPECT_LT(pause.length, std::chrono::seconds(1));
    pause.then();
  }
  const HandTimer::Pause last = timer->AwaitPause();
  awake.reset();
  last.then();
}

TEST(AwakeThreadsTest, NothingIsLeftAfterThePauseThatFollows) {
  std::promise<void> gone;
  std::shared_ptr<HandTimer> timer(new HandTimer, [&gone](HandTimer* is) {
    delete is;
    gone.set_value();
  });
  auto awake = std::make_unique<AwakeThreads>(TimerOf(timer));
  HandTimer::Pause pause = timer->AwaitPause();
  timer.reset();
  awake.reset();
  pause.then();
  EXPECT_EQ(gone.get_future().wait_for(std::chrono::minutes(1)), std::future_status::ready);
}

TEST(AwakeThreadsTest, MayEndAtAnyTime) {
  for (int i = 0; i < 50; ++i) {
    auto awake = std::make_unique<AwakeThreads>();
    std::thread([&] { awake.reset(); }).join();
  }
}

}  // namespace
}  // namespace wormhole::rpc
