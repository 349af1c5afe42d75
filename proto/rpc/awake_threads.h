// Keeps one of gRPC's callback threads awake, so that what comes after an idle second is not late.
#ifndef WORMHOLE_PROTO_RPC_AWAKE_THREADS_H_
#define WORMHOLE_PROTO_RPC_AWAKE_THREADS_H_

#include <chrono>
#include <functional>
#include <memory>

namespace wormhole::rpc {

// gRPC 1.51 runs the reactions of a process on a few threads. Each that has had nothing to do for a
// second sleeps for 100 ms, whatever comes meanwhile (src/cpp/common/completion_queue_cc.cc); no
// setting changes that. While one of these objects lives, a call that fails inside the process, at
// once and without a socket, gives one of the threads something to do twice a second: the thread
// that ran the last one is not asleep.
//
// Starts gRPC. Any thread may make and destroy it; the destructor waits for nobody, and what it
// ends is gone half a second later.
class AwakeThreads {
 public:
  // Runs `then` once, so much later, on a thread that is not one of those.
  using Timer = std::function<void(std::chrono::milliseconds pause, std::function<void()> then)>;

  // Runs `end` on a thread that is not gRPC's: it lets go of what this has of gRPC, the last in the
  // process perhaps.
  using Elsewhere = std::function<void(std::function<void()> end)>;

  AwakeThreads();  // gRPC's timer, one of whose threads sees to the end
  explicit AwakeThreads(const Elsewhere& elsewhere);
  explicit AwakeThreads(Timer timer);
  ~AwakeThreads();
  AwakeThreads(const AwakeThreads&) = delete;
  AwakeThreads& operator=(const AwakeThreads&) = delete;

 private:
  struct Loop;
  const std::shared_ptr<Loop> loop_;
};

}  // namespace wormhole::rpc

#endif  // WORMHOLE_PROTO_RPC_AWAKE_THREADS_H_
