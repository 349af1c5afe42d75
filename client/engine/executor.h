// A few threads that run tasks, at once or at a time.
#ifndef WORMHOLE_CLIENT_ENGINE_EXECUTOR_H_
#define WORMHOLE_CLIENT_ENGINE_EXECUTOR_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"

namespace wormhole {

// Threads: everything may be called from any thread, also from a task.
//
// Tasks start in the order of Post, without a lock held, and may run at the same time on different
// threads. Timers that are due come before posted tasks.
class Executor {
 public:
  using Task = std::function<void()>;
  using Clock = std::chrono::steady_clock;

  // Names a timer; the default names none.
  struct Timer {
    Clock::time_point when;
    uint64_t id = 0;
  };

  // Starts `threads` threads, at least 1. RESOURCE_EXHAUSTED when the system gives none.
  static absl::StatusOr<std::unique_ptr<Executor>> Create(int threads);

  // Drops what has not started and returns at once, also inside a task: threads end by themselves
  // after the task they are in.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  void Post(Task task);

  // Runs `task` not before `when`. Costs the logarithm of the number of timers, as Cancel does.
  Timer PostAt(Clock::time_point when, Task task);
  // After it returns the task does not start. Nothing happens if it has started or is none.
  void Cancel(const Timer& timer);

  // Whether the calling thread belongs to an executor, this one or another.
  static bool OnExecutorThread();

 private:
  struct State;
  explicit Executor(std::shared_ptr<State> state);
  static void Run(std::shared_ptr<State> state);

  const std::shared_ptr<State> state_;
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_ENGINE_EXECUTOR_H_
