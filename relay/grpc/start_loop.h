// The loop in which a gRPC reactor starts its operations: one thread at a time, without locks.
//
// A reactor notes from any thread, under its mutex, what it has to do, and starts that later. Two
// things make this subtle. gRPC may run a reaction inside the very call that starts an operation;
// so no lock may be held around such a call. And gRPC destroys the call once Finish is through; so
// no other thread may still be about to start something. One thread at a time starts things, and
// nothing after Finish: that answers both.
#ifndef WORMHOLE_RELAY_GRPC_START_LOOP_H_
#define WORMHOLE_RELAY_GRPC_START_LOOP_H_

#include <memory>
#include <utility>

#include "proto/sync/mutex.h"

namespace wormhole::relay {

// Thread-safe. A part of the reactor that it works for.
class StartLoop {
 public:
  // `mutex` guards what the reactor notes. It outlives this.
  explicit StartLoop(sync::Mutex& mutex) : mutex_(mutex) {}

  // Starts what is noted, until nothing is left to start. If another thread is in the loop, or this
  // thread further up its stack, it returns at once: the loop that runs starts what was noted
  // before this call, since it asks `next` once more after each start. So whoever notes something
  // calls this afterwards, without the mutex.
  //
  // `next` runs under the mutex. It returns the operation to start, as a std::optional, and notes
  // that it is under way; nothing when there is none to start now. After the operation that ends
  // the call (Finish) it returns nothing for ever.
  // `start` runs without the mutex, and starts that operation.
  // `alive` keeps the reactor until this returns: Finish may let go of it while the loop still has
  // to ask `next`.
  template <typename Next, typename Start>
  void Run([[maybe_unused]] std::shared_ptr<const void> alive, Next next, Start start)
      WORMHOLE_EXCLUDES(mutex_) {
    if (!Enter()) return;
    while (auto operation = NextOrLeave(next)) start(*std::move(operation));
  }

 private:
  bool Enter() WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    return !std::exchange(running_, true);
  }

  // That nothing is left and that the loop has ended is one step: were the lock given back between
  // the two, another thread could note something, find the loop running, and leave it to nobody.
  template <typename Next>
  auto NextOrLeave(Next& next) WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    auto operation = next();
    if (!operation) running_ = false;
    return operation;
  }

  sync::Mutex& mutex_;
  bool running_ WORMHOLE_GUARDED_BY(mutex_) = false;  // a thread is in Run's loop
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_GRPC_START_LOOP_H_
