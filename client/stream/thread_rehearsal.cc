#include "client/stream/thread_rehearsal.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>
#include <thread>

#include "absl/strings/str_cat.h"
#include "client/core/failure.h"
#include "proto/sync/mutex.h"
#include "proto/sync/threads.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

// The memory that gRPC takes when it starts.
constexpr size_t kMemory = size_t{16} << 20;

class Curtain {
 public:
  void Await() {
    sync::MutexLock lock(mutex_);
    while (!fallen_) changed_.Wait(mutex_);
  }
  void Fall() {
    sync::MutexLock lock(mutex_);
    fallen_ = true;
    changed_.NotifyAll();
  }

 private:
  sync::Mutex mutex_;
  sync::CondVar changed_;
  bool fallen_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

absl::Status NotEnough(int got, int wanted) {
  return core::Failure(
      Reason::kInternal, absl::StatusCode::kResourceExhausted,
      absl::StrCat("raise the limit on threads or memory of this process (`ulimit -u`, `ulimit "
                   "-v`, a container's pids or memory): the system does not give it the ",
                   wanted, " threads that a connection needs, but ", got));
}

}  // namespace

// gRPC 1.51 starts eight on two cores; the pools for callbacks and events grow with the cores, up
// to sixteen in all.
int ThreadsOfGrpc() {
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  return 8 + std::clamp(cores, 2, 16);
}

absl::Status RehearseThreads(int count) {
  Curtain curtain;
  const auto threads = std::make_shared<sync::Threads>();
  absl::Status status;
  const std::unique_ptr<void, void (*)(void*)> memory(std::malloc(kMemory), std::free);
  int got = 0;
  try {
    while (got < count && threads->Start("wormhole-try", [&curtain] { curtain.Await(); })) ++got;
  } catch (const std::bad_alloc&) {
  }
  if (got < count || memory == nullptr) status = NotEnough(got, count);
  curtain.Fall();
  (void)threads->AwaitGone(std::chrono::steady_clock::time_point::max());
  return status;
}

}  // namespace wormhole
