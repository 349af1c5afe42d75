// How many calls gRPC has at a port that no service has in hand.
#ifndef WORMHOLE_RELAY_GRPC_BEGUN_CALLS_H_
#define WORMHOLE_RELAY_GRPC_BEGUN_CALLS_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <utility>

#include "grpcpp/server_context.h"
#include "proto/sync/mutex.h"

namespace wormhole::relay {

// Those that the relay has not seen yet, and those that it has refused or ended while gRPC still
// has them. What a service limits when it sees a call is limited too late: gRPC 1.51 reads a
// connection for as long as more comes, and shows or ends none of the calls in there before it has
// paused, or not for long. When another thread wants something of the connection meanwhile, gRPC
// goes on with it on a thread of its executor (src/core/lib/iomgr/combiner.cc), and what becomes
// of the calls waits there behind the reading: 8,000 of them took 350 MB and two seconds. But gRPC
// asks for a call's context while it reads, and gives it back when the call is over.
//
// A server is built with it, and owns it. Thread-safe.
class BegunCalls final : public grpc::ContextAllocator {
 public:
  // There may be `most` beside those that services have in hand, which they limit themselves;
  // `in_hand` counts these, on any thread. Null: there are none.
  BegunCalls(size_t most, std::function<size_t()> in_hand)
      : most_(most), in_hand_(std::move(in_hand)) {}

  BegunCalls(const BegunCalls&) = delete;
  BegunCalls& operator=(const BegunCalls&) = delete;

  // Who is told at the beginning of the first call that is one too many, and of each sixteenth
  // after it until there are no longer too many, on the thread that reads: he must neither block
  // nor call gRPC. Nobody before that.
  void SetTooMany(std::function<void()> too_many) WORMHOLE_EXCLUDES(mutex_);

  // To gRPC, which makes a context itself when it is given none.
  grpc::CallbackServerContext* NewCallbackServerContext() override;
  grpc::GenericCallbackServerContext* NewGenericCallbackServerContext() override;
  void Release(grpc::CallbackServerContext* context) override;
  void Release(grpc::GenericCallbackServerContext* context) override;

 private:
  void OnBegun() WORMHOLE_EXCLUDES(mutex_);

  const size_t most_;
  const std::function<size_t()> in_hand_;
  std::atomic<size_t> count_ = 0;
  std::atomic<size_t> too_many_yet_ = 0;  // since there were none
  sync::Mutex mutex_;
  std::function<void()> too_many_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_GRPC_BEGUN_CALLS_H_
