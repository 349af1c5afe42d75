#include "proto/rpc/awake_threads.h"

#include <grpcpp/alarm.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <utility>

namespace wormhole::rpc {
namespace {

// Well below the second after which a thread goes to sleep.
constexpr std::chrono::milliseconds kPause(500);

grpc::ByteBuffer SomeBytes() {
  const grpc::Slice slice("awake");
  return {&slice, 1};
}

AwakeThreads::Timer AlarmTimer() {
  return [alarm = std::make_shared<grpc::Alarm>()](std::chrono::milliseconds pause,
                                                   std::function<void()> then) {
    alarm->Set(std::chrono::system_clock::now() + pause,
               [then = std::move(then)](bool) { then(); });
  };
}

}  // namespace

// A call, a pause, a call, ... Whichever is under way keeps the loop. Its end is noticed after a
// pause only, on a thread that is not a callback thread: with the last channel of a process gRPC
// joins those, and on one of them it would join itself.
struct AwakeThreads::Loop {
  explicit Loop(Timer a_timer) : timer(std::move(a_timer)) {}

  static void Call(std::shared_ptr<Loop> loop);
  static void Pause(std::shared_ptr<Loop> loop);

  const Timer timer;
  // A channel without credentials fails each call at once.
  const std::shared_ptr<grpc::Channel> channel = grpc::CreateChannel("awake", nullptr);
  grpc::GenericStub stub{channel};
  const grpc::ByteBuffer request = SomeBytes();
  grpc::ByteBuffer response;
  std::unique_ptr<grpc::ClientContext> context;
  std::shared_ptr<Loop> paused;  // this loop, while it waits
  std::atomic<bool> over = false;
};

void AwakeThreads::Loop::Call(std::shared_ptr<Loop> loop) {
  if (loop->over) return;
  Loop& l = *loop;
  l.context = std::make_unique<grpc::ClientContext>();
  l.stub.UnaryCall(
      l.context.get(), "/awake", grpc::StubOptions(), &l.request, &l.response,
      [loop = std::move(loop)](const grpc::Status&) mutable { Pause(std::move(loop)); });
}

// gRPC's alarm keeps its function as long as it lives, so the function does not keep the loop; and
// the loop may be over before the timer returns.
void AwakeThreads::Loop::Pause(std::shared_ptr<Loop> loop) {
  Loop* const paused = loop.get();
  const Timer timer = paused->timer;
  paused->context.reset();
  paused->paused = std::move(loop);
  timer(kPause, [paused] { Call(std::move(paused->paused)); });
}

AwakeThreads::AwakeThreads() : AwakeThreads(AlarmTimer()) {}

AwakeThreads::AwakeThreads(const Elsewhere& elsewhere)
    : loop_(new Loop(AlarmTimer()),
            [elsewhere](Loop* loop) { elsewhere([loop] { delete loop; }); }) {
  Loop::Call(loop_);
}

AwakeThreads::AwakeThreads(Timer timer) : loop_(std::make_shared<Loop>(std::move(timer))) {
  Loop::Call(loop_);
}

AwakeThreads::~AwakeThreads() { loop_->over = true; }

}  // namespace wormhole::rpc
