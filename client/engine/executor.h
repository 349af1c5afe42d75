// A few threads that run tasks, at once or at a time.
#ifndef WORMHOLE_CLIENT_ENGINE_EXECUTOR_H_
#define WORMHOLE_CLIENT_ENGINE_EXECUTOR_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "proto/sync/threads.h"

namespace wormhole {

// Threads: everything may be called from any thread, also from a task.
//
// Tasks start in the order of Post, without a lock held, and may run at the same time on different
// threads. Timers that are due come before posted tasks.
class Executor {
 private:
  struct State;

 public:
  using Task = std::function<void()>;
  using Clock = std::chrono::steady_clock;

  // Names a timer; the default names none.
  struct Timer {
    Clock::time_point when;
    uint64_t id = 0;
  };

  // While one lives, code of the application runs on this thread.
  class ApplicationCode {
   public:
    explicit ApplicationCode(Executor& executor);
    // Ends a child that was forked in that code and has come back from it: this thread, which the
    // child has alone, would go on with the work of the parent.
    ~ApplicationCode();
    ApplicationCode(const ApplicationCode&) = delete;
    ApplicationCode& operator=(const ApplicationCode&) = delete;

   private:
    const std::shared_ptr<State> state_;
    const uint64_t generation_;
  };

  // Starts `count` threads, at least 1, of the group `threads`, which outlive the executor for as
  // long as the tasks take that they are in. RESOURCE_EXHAUSTED when the system gives none.
  static absl::StatusOr<std::unique_ptr<Executor>> Create(
      int count, const std::shared_ptr<sync::Threads>& threads = std::make_shared<sync::Threads>());

  // Drops what has not started and returns at once, also inside a task: threads end by themselves
  // after the task they are in.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // What the destructor does: what is posted from now on is dropped, too.
  void Stop();
  // How many ApplicationCodes live. Outlives the executor, as they do.
  std::shared_ptr<const std::atomic<int>> application_calls() const;

  void Post(Task task);

  // Runs `task` not before `when`. Costs the logarithm of the number of timers, as Cancel does.
  Timer PostAt(Clock::time_point when, Task task);
  // After it returns the task does not start. Nothing happens if it has started or is none.
  void Cancel(const Timer& timer);

  // Whether the calling thread belongs to an executor, this one or another.
  static bool OnExecutorThread();

 private:
  explicit Executor(std::shared_ptr<State> state);
  static void Run(const std::shared_ptr<State>& state);

  const std::shared_ptr<State> state_;
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_ENGINE_EXECUTOR_H_
