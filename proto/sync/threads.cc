#include "proto/sync/threads.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

namespace wormhole::sync {
namespace {

// Blocks all signals while a thread is started, since it inherits the mask of the one that starts
// it.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

// A thread that was joined runs no code any more, and stands in /proc for some microseconds yet.
// The bound is for an id that another thread has got meanwhile.
void AwaitUnknown(pid_t id) {
  const auto bound = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  while (tgkill(getpid(), id, 0) == 0 && std::chrono::steady_clock::now() < bound) {
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
}

}  // namespace

struct Threads::Body {
  std::shared_ptr<Threads> group;
  std::list<Thread>::iterator thread;
  const char* name;
  std::function<void()> work;
};

Threads::~Threads() {
  // The last one may be this very thread.
  for (const Thread& thread : threads_) pthread_detach(thread.handle);
}

bool Threads::Start(const char* name, std::function<void()> work) {
  auto body = std::make_unique<Body>();
  body->group = shared_from_this();
  body->name = name;
  body->work = std::move(work);
  const SignalsBlocked blocked;
  MutexLock lock(mutex_);
  (void)JoinEnded();
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

// Joins under the lock, since what is left of such a thread waits for nothing.
std::vector<pid_t> Threads::JoinEnded() {
  std::vector<pid_t> ids;
  for (auto it = threads_.begin(); it != threads_.end();) {
    if (!it->ended) {
      ++it;
      continue;
    }
    pthread_join(it->handle, nullptr);
    ids.push_back(it->id);
    it = threads_.erase(it);
  }
  return ids;
}

bool Threads::AwaitGone(std::chrono::steady_clock::time_point deadline) {
  std::vector<pid_t> ids;
  {
    MutexLock lock(mutex_);
    for (bool in_time = true;;) {
      for (const pid_t id : JoinEnded()) ids.push_back(id);
      if (threads_.empty() || !in_time) break;
      in_time = changed_.WaitUntil(mutex_, deadline);
    }
    if (!threads_.empty()) return false;
  }
  for (const pid_t id : ids) AwaitUnknown(id);
  return true;
}

std::vector<std::string> Threads::names() const {
  std::vector<std::string> names;
  MutexLock lock(mutex_);
  for (const Thread& thread : threads_) {
    if (!thread.ended) names.emplace_back(thread.name);
  }
  return names;
}

}  // namespace wormhole::sync
