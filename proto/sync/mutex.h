// A mutex whose lock contracts the compiler checks.
//
// clang's -Wthread-safety (`bazel build --config=asan`) reads the annotations; under g++ they
// vanish. std::mutex is underneath, and not absl::Mutex, because ThreadSanitizer reports races in
// Debian's uninstrumented Abseil that are not there.
//
//   class Counter {
//    public:
//     void Add(int n) {
//       sync::MutexLock lock(mutex_);
//       total_ += n;
//       changed_.NotifyAll();
//     }
//     void AwaitAtLeast(int n) {
//       sync::MutexLock lock(mutex_);
//       while (total_ < n) changed_.Wait(mutex_);
//     }
//
//    private:
//     sync::Mutex mutex_;
//     sync::CondVar changed_;
//     int total_ WORMHOLE_GUARDED_BY(mutex_) = 0;
//   };
#ifndef WORMHOLE_PROTO_SYNC_MUTEX_H_
#define WORMHOLE_PROTO_SYNC_MUTEX_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define WORMHOLE_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define WORMHOLE_THREAD_ANNOTATION(x)
#endif

// A type that is a lock, and one whose life is the holding of a lock.
#define WORMHOLE_CAPABILITY(name) WORMHOLE_THREAD_ANNOTATION(capability(name))
#define WORMHOLE_SCOPED_CAPABILITY WORMHOLE_THREAD_ANNOTATION(scoped_lockable)

// A field that is touched only with the lock held; for the second, what the pointer points to.
#define WORMHOLE_GUARDED_BY(mutex) WORMHOLE_THREAD_ANNOTATION(guarded_by(mutex))
#define WORMHOLE_PT_GUARDED_BY(mutex) WORMHOLE_THREAD_ANNOTATION(pt_guarded_by(mutex))

// A function whose caller holds the locks, or must not hold them.
#define WORMHOLE_REQUIRES(...) WORMHOLE_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define WORMHOLE_EXCLUDES(...) WORMHOLE_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))

// A function that takes the locks, gives them back, or takes them when it returns `result`.
#define WORMHOLE_ACQUIRE(...) WORMHOLE_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define WORMHOLE_RELEASE(...) WORMHOLE_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define WORMHOLE_TRY_ACQUIRE(result, ...) \
  WORMHOLE_THREAD_ANNOTATION(try_acquire_capability(result, ##__VA_ARGS__))

// The order in which locks are taken, a promise the analysis may assume, the lock behind an
// accessor, and a function that the analysis leaves alone.
#define WORMHOLE_ACQUIRED_BEFORE(...) WORMHOLE_THREAD_ANNOTATION(acquired_before(__VA_ARGS__))
#define WORMHOLE_ACQUIRED_AFTER(...) WORMHOLE_THREAD_ANNOTATION(acquired_after(__VA_ARGS__))
#define WORMHOLE_ASSERT_CAPABILITY(...) WORMHOLE_THREAD_ANNOTATION(assert_capability(__VA_ARGS__))
#define WORMHOLE_LOCK_RETURNED(mutex) WORMHOLE_THREAD_ANNOTATION(lock_returned(mutex))
#define WORMHOLE_NO_THREAD_SAFETY_ANALYSIS WORMHOLE_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace wormhole::sync {

// Not reentrant: taking it twice in one thread is undefined, as with std::mutex.
class WORMHOLE_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() WORMHOLE_ACQUIRE() { mutex_.lock(); }
  void Unlock() WORMHOLE_RELEASE() { mutex_.unlock(); }
  [[nodiscard]] bool TryLock() WORMHOLE_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

  // Tells the analysis that this thread holds the mutex, where it cannot see so: in a function that
  // somebody calls back under the lock. Does and checks nothing.
  void AssumeHeld() const WORMHOLE_ASSERT_CAPABILITY(this) {}

 private:
  friend class CondVar;
  std::mutex mutex_;
};

// Holds `mutex` from construction to destruction. The mutex must outlive it.
class WORMHOLE_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) WORMHOLE_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() WORMHOLE_RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// A condition of what a Mutex guards. Waits wake up for no reason too: always wait in a loop on the
// condition. Every waiter of one CondVar uses the same Mutex. Waits are without a predicate on
// purpose: the analysis cannot see that a lambda runs under the lock.
class CondVar {
 public:
  CondVar() = default;
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  // Gives `mutex` back, sleeps until notified, and takes it again.
  void Wait(Mutex& mutex) WORMHOLE_REQUIRES(mutex) {
    std::unique_lock<std::mutex> held(mutex.mutex_, std::adopt_lock);
    condition_.wait(held);
    held.release();
  }

  // As Wait, but not past `deadline`. Returns false once the deadline has passed, true otherwise;
  // either way the mutex is held again and the condition is to be looked at.
  [[nodiscard]] bool WaitUntil(Mutex& mutex, std::chrono::steady_clock::time_point deadline)
      WORMHOLE_REQUIRES(mutex) {
    std::unique_lock<std::mutex> held(mutex.mutex_, std::adopt_lock);
    const std::cv_status status = condition_.wait_until(held, deadline);
    held.release();
    return status == std::cv_status::no_timeout;
  }

  // May be called with or without the mutex held.
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace wormhole::sync

#endif  // WORMHOLE_PROTO_SYNC_MUTEX_H_
