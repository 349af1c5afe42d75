#include "client/stream/thread_rehearsal.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/core/failure.h"
#include "proto/sync/mutex.h"
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
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the application's threads'
  Curtain curtain;
  std::vector<std::thread> threads;
  absl::Status status;
  const std::unique_ptr<void, void (*)(void*)> memory(std::malloc(kMemory), std::free);
  try {
    threads.reserve(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) threads.emplace_back([&curtain] { curtain.Await(); });
  } catch (const std::system_error&) {  // EAGAIN: counted below
  } catch (const std::bad_alloc&) {
  }
  const int got = static_cast<int>(threads.size());
  if (got < count || memory == nullptr) status = NotEnough(got, count);
  curtain.Fall();
  for (std::thread& thread : threads) thread.join();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return status;
}

}  // namespace wormhole
