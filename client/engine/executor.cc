#include "client/engine/executor.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <deque>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "client/core/failure.h"
#include "proto/sync/fork.h"
#include "proto/sync/mutex.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

thread_local bool on_executor_thread = false;

}  // namespace

// Shared by the executor and its threads, so that the executor can go first.
struct Executor::State {
  using TimerKey = std::pair<Clock::time_point, uint64_t>;

  // The next task, or an empty one when the executor is gone.
  Task Next() {
    sync::MutexLock lock(mutex);
    while (!stopping) {
      if (Task task = TakeDue()) {
        // This thread is busy from now on: another one has to take the rest.
        if (!ready.empty() || (!timers.empty() && !timekeeper)) WakeOne();
        return task;
      }
      Sleep();
    }
    return nullptr;
  }

  // One thread, the timekeeper, waits for the first timer, the others for tasks alone. Post wakes
  // one of the others, and the timekeeper only when all of them are busy.
  void Sleep() WORMHOLE_REQUIRES(mutex) {
    if (timers.empty() || timekeeper) {
      ++idle;
      changed.Wait(mutex);
      --idle;
    } else {
      timekeeper = true;
      (void)first_timer_changed.WaitUntil(mutex, timers.begin()->first.first);
      timekeeper = false;
    }
  }

  void WakeOne() WORMHOLE_REQUIRES(mutex) {
    if (idle > 0) {
      changed.NotifyOne();
    } else if (timekeeper) {
      first_timer_changed.NotifyOne();
    }
  }

  Task TakeDue() WORMHOLE_REQUIRES(mutex) {
    Task task;
    const auto first = timers.begin();
    if (first != timers.end() && first->first.first <= Clock::now()) {
      task = std::move(first->second);
      timers.erase(first);
    } else if (!ready.empty()) {
      task = std::move(ready.front());
      ready.pop_front();
    }
    return task;
  }

  // Tasks own things whose destructors may call back here, so they are destroyed without the lock.
  void Stop() {
    std::deque<Task> dropped_tasks;
    std::map<TimerKey, Task> dropped_timers;
    sync::MutexLock lock(mutex);
    stopping = true;
    dropped_tasks.swap(ready);
    dropped_timers.swap(timers);
    changed.NotifyAll();
    first_timer_changed.NotifyAll();
  }

  sync::Mutex mutex;
  sync::CondVar changed;
  sync::CondVar first_timer_changed;
  int idle WORMHOLE_GUARDED_BY(mutex) = 0;             // threads in changed.Wait
  bool timekeeper WORMHOLE_GUARDED_BY(mutex) = false;  // a thread is in first_timer_changed.Wait
  bool stopping WORMHOLE_GUARDED_BY(mutex) = false;
  std::atomic<int> application_calls = 0;  // threads in code of the application
  std::deque<Task> ready WORMHOLE_GUARDED_BY(mutex);
  std::map<TimerKey, Task> timers WORMHOLE_GUARDED_BY(mutex);
  uint64_t last_timer WORMHOLE_GUARDED_BY(mutex) = 0;
};

absl::StatusOr<std::unique_ptr<Executor>> Executor::Create(
    int count, const std::shared_ptr<sync::Threads>& threads) {
  auto executor = std::unique_ptr<Executor>(new Executor(std::make_shared<State>()));
  for (int i = 0; i < count; ++i) {
    if (threads->Start("wormhole", [state = executor->state_] { Run(state); })) continue;
    // Those that it has given would be known to nobody.
    executor->Stop();
    (void)threads->AwaitGone(Clock::time_point::max());
    return core::Failure(Reason::kInternal, absl::StatusCode::kResourceExhausted,
                         "the system gives no more threads: share one Client among exchanges, or "
                         "raise the limit (`ulimit -u`, a container's pids or memory)");
  }
  return executor;
}

Executor::Executor(std::shared_ptr<State> state) : state_(std::move(state)) {}

Executor::~Executor() { Stop(); }

void Executor::Stop() { state_->Stop(); }

std::shared_ptr<const std::atomic<int>> Executor::application_calls() const {
  return {state_, &state_->application_calls};
}

Executor::ApplicationCode::ApplicationCode(Executor& executor)
    : state_(executor.state_), generation_(sync::ForkGeneration()) {
  ++state_->application_calls;
}

Executor::ApplicationCode::~ApplicationCode() {
  if (generation_ != sync::ForkGeneration()) _exit(EXIT_FAILURE);
  --state_->application_calls;
}

void Executor::Run(const std::shared_ptr<State>& state) {
  on_executor_thread = true;
  while (Task task = state->Next()) {
    task();
    task = nullptr;  // destroys what it owns before the next wait
  }
}

void Executor::Post(Task task) {
  sync::MutexLock lock(state_->mutex);  // given back before `task` is destroyed
  if (state_->stopping) return;
  state_->ready.push_back(std::move(task));
  state_->WakeOne();
}

Executor::Timer Executor::PostAt(Clock::time_point when, Task task) {
  sync::MutexLock lock(state_->mutex);
  const Timer timer{when, ++state_->last_timer};
  if (state_->stopping) return timer;
  const auto it = state_->timers.emplace(State::TimerKey(timer.when, timer.id), std::move(task));
  // Only a new first timer changes how long the timekeeper waits. Where there is no timekeeper yet,
  // an idle thread becomes it.
  if (it.first == state_->timers.begin()) {
    state_->timekeeper ? state_->first_timer_changed.NotifyOne() : state_->WakeOne();
  }
  return timer;
}

void Executor::Cancel(const Timer& timer) {
  Task dropped;  // destroyed after the lock is given back
  sync::MutexLock lock(state_->mutex);
  const auto it = state_->timers.find(State::TimerKey(timer.when, timer.id));
  if (it == state_->timers.end()) return;
  dropped = std::move(it->second);
  state_->timers.erase(it);
}

bool Executor::OnExecutorThread() { return on_executor_thread; }

}  // namespace wormhole
