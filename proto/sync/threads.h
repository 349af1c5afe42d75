// Threads with names, which nobody has to wait for, and can.
#ifndef WORMHOLE_PROTO_SYNC_THREADS_H_
#define WORMHOLE_PROTO_SYNC_THREADS_H_

#include <pthread.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "proto/sync/mutex.h"

namespace wormhole::sync {

// A group of threads. Held by shared_ptr: a thread keeps its group until it ends. Any thread.
class Threads : public std::enable_shared_from_this<Threads> {
 public:
  Threads() = default;
  // Waits for nobody: threads end by themselves.
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  // Runs `work` on a thread of its own, called `name` (15 bytes at most, a literal) where a system
  // shows threads. It takes no signals, which are for the application's threads, but those that its
  // own work raises: a crash (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT) and the
  // clock of a profiler (SIGPROF), unless the thread that calls this blocks them. False when the
  // system gives no thread. An exception that leaves `work` ends the process, and the process may
  // end while `work` runs, so `work` must not use what the end of the process destroys.
  [[nodiscard]] bool Start(const char* name, std::function<void()> work);

  // Waits until each thread has ended, `work` is destroyed and the system knows the thread no more:
  // the code that it ran may be unloaded then. False when the deadline comes first. Not from a
  // thread of the group. A destructor of a thread_local of the application's may keep a thread
  // after its work: that is waited for like the work.
  bool AwaitGone(std::chrono::steady_clock::time_point deadline);

  // The names of those that are not gone.
  std::vector<std::string> names() const;

 private:
  struct Thread {
    const char* name = nullptr;
    pthread_t handle = {};
    pid_t id = 0;
    bool ended = false;  // and returns, without a further look at the group
    bool joined = false;
    // Of a joined one: when its id must be another's.
    std::chrono::steady_clock::time_point bound = {};
  };
  struct Body;

  static void* Run(void* body) noexcept;
  // Strikes those off that are gone, and waits for nobody. Whether one has ended and is not gone.
  bool StrikeGone() WORMHOLE_REQUIRES(mutex_);

  mutable Mutex mutex_;
  CondVar changed_;
  std::list<Thread> threads_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::sync

#endif  // WORMHOLE_PROTO_SYNC_THREADS_H_
