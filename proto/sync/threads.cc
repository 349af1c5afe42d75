#include "proto/sync/threads.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace wormhole::sync {
namespace {

// What the work of a thread itself raises. A kernel that finds one of the first six blocked ends
// the process without its handler.
constexpr int kOwnSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF};

// Blocks all other signals while a thread is started, since it inherits the mask of the one that
// starts it.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t others;
    sigfillset(&others);
    for (const int own : kOwnSignals) sigdelset(&others, own);
    pthread_sigmask(SIG_BLOCK, &others, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

using Clock = std::chrono::steady_clock;

// A thread that was joined runs no code any more, and stands in /proc for some microseconds yet.
// After this time it is another thread that has got its id.
constexpr std::chrono::milliseconds kInProc(100);

// Nobody tells when a thread is gone after its work, so that a waiter looks, first often: as a rule
// it takes some microseconds, and long only in a destructor of a thread_local.
constexpr std::chrono::microseconds kFirstPause(50);
constexpr std::chrono::microseconds kLongestPause(10'000);

}  // namespace

struct Threads::Body {
  std::shared_ptr<Threads> group;
  std::list<Thread>::iterator thread;
  const char* name;
  std::function<void()> work;
};

Threads::~Threads() {
  // The last one may be this very thread.
  for (const Thread& thread : threads_) {
    if (!thread.joined) pthread_detach(thread.handle);
  }
}

bool Threads::Start(const char* name, std::function<void()> work) {
  auto body = std::make_unique<Body>();
  body->group = shared_from_this();
  body->name = name;
  body->work = std::move(work);
  const SignalsBlocked blocked;
  MutexLock lock(mutex_);
  (void)StrikeGone();
  body->thread = threads_.insert(threads_.end(), Thread{.name = name});
  if (pthread_create(&body->thread->handle, nullptr, &Threads::Run, body.get()) != 0) {
    threads_.erase(body->thread);
    return false;
  }
  (void)body.release();  // the thread's
  return true;
}

void* Threads::Run(void* raw) noexcept {
  const std::unique_ptr<Body> body(static_cast<Body*>(raw));
  pthread_setname_np(pthread_self(), body->name);
  body->work();
  body->work = nullptr;
  Threads& group = *body->group;
  MutexLock lock(group.mutex_);
  body->thread->id = gettid();
  body->thread->ended = true;
  group.changed_.NotifyAll();
  return nullptr;
}

bool Threads::StrikeGone() {
  bool leaving = false;
  for (auto it = threads_.begin(); it != threads_.end();) {
    if (it->ended && !it->joined && pthread_tryjoin_np(it->handle, nullptr) == 0) {
      it->joined = true;
      it->bound = Clock::now() + kInProc;
    }
    if (it->joined && (tgkill(getpid(), it->id, 0) != 0 || Clock::now() >= it->bound)) {
      it = threads_.erase(it);
    } else {
      leaving |= it->ended;
      ++it;
    }
  }
  return leaving;
}

bool Threads::AwaitGone(Clock::time_point deadline) {
  auto pause = kFirstPause;
  MutexLock lock(mutex_);
  while (true) {
    const bool leaving = StrikeGone();
    if (threads_.empty()) return true;
    if (Clock::now() >= deadline) return false;
    if (leaving) {
      (void)changed_.WaitUntil(mutex_, std::min<Clock::time_point>(deadline, Clock::now() + pause));
      pause = std::min(2 * pause, kLongestPause);
    } else {
      (void)changed_.WaitUntil(mutex_, deadline);
    }
  }
}

std::vector<std::string> Threads::names() const {
  std::vector<std::string> names;
  MutexLock lock(mutex_);
  for (const Thread& thread : threads_) {
    names.emplace_back(thread.name);
  }
  return names;
}

}  // namespace wormhole::sync
