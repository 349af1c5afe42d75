// Group commit: one thread that carries out a store's calls in order, in batches.
//
// A batch is what has been queued when the thread takes the queue, so that a store that is slow to
// commit commits many calls together, and an idle one commits each call at once: no timer.
//
// The next caller of Flush gives the answers that can wait. On a busy relay that is a thread that
// writes to streams anyway: what it writes because of an answer leaves in one packet with the rest,
// and no other thread has to wake. If nobody calls Flush, this object's thread gives them itself, a
// little later.
#ifndef WORMHOLE_RELAY_STORE_SQLITE_COMMIT_THREAD_H_
#define WORMHOLE_RELAY_STORE_SQLITE_COMMIT_THREAD_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/sync/mutex.h"
#include "relay/store/answer_time.h"
#include "relay/store/store.h"

namespace wormhole::relay {

// What is under a CommitThread. Called on its thread only.
class BatchTarget {
 public:
  virtual ~BatchTarget() = default;

  // Makes what the batch of so many operations has done durable. When this fails, Rollback follows;
  // the batch may at most be found committed when the process has ended before the next commit.
  virtual absl::Status Commit(size_t operations) = 0;

  // Undoes what the batch has done so far, because of this error.
  virtual void Rollback(const absl::Status& cause) = 0;

  // Whether the batch holds so much already that it should end here.
  virtual bool Full() const = 0;
};

// See QueuedStore.
class CommitThread {
 public:
  // `target` outlives this object.
  explicit CommitThread(BatchTarget* target);

  // Carries out what has been queued, and joins the thread. Calls that the answers add meanwhile
  // get UNAVAILABLE. Not to be called from a `done`.
  ~CommitThread();

  CommitThread(const CommitThread&) = delete;
  CommitThread& operator=(const CommitThread&) = delete;

  // Queues `work`, a callable that returns absl::StatusOr<T>, for the next Flush at the latest.
  // After it has run and its batch is committed, `done` runs with what it returned: `work` on the
  // thread of this object, `done` there or inside some Flush, one at a time and in the order of the
  // calls. UNAVAILABLE from `work`, or a commit that fails, fails the batch: every `done` of it
  // gets that error, also of calls whose turn had not come. Any other error is an answer like any
  // other.
  template <typename T, typename Work>
  void Add(Work work, Store::Done<T> done, AnswerTime time = AnswerTime::kAtOnce) {
    Enqueue(std::make_unique<Call<T, Work>>(std::move(work), std::move(done), time));
  }

  // Wakes the thread if there is something to do, and gives the answers that are there.
  void Flush() WORMHOLE_EXCLUDES(mutex_);

 private:
  class Operation {
   public:
    explicit Operation(AnswerTime time) : time_(time) {}
    virtual ~Operation() = default;
    // OK, or why the batch has failed.
    virtual absl::Status Run() = 0;
    // Its batch has failed: its answer is `status`.
    virtual void Fail(const absl::Status& status) = 0;
    virtual void Answer() = 0;
    AnswerTime time() const { return time_; }

   private:
    const AnswerTime time_;
  };
  using Operations = std::vector<std::unique_ptr<Operation>>;

  template <typename T, typename Work>
  class Call : public Operation {
   public:
    Call(Work work, Store::Done<T> done, AnswerTime time)
        : Operation(time), work_(std::move(work)), done_(std::move(done)) {}

    absl::Status Run() override {
      result_.emplace(work_());
      return absl::IsUnavailable(result_->status()) ? result_->status() : absl::OkStatus();
    }
    void Fail(const absl::Status& status) override { result_.emplace(status); }
    void Answer() override { done_(*std::move(result_)); }

   private:
    Work work_;
    Store::Done<T> done_;
    std::optional<absl::StatusOr<T>> result_;
  };

  void Enqueue(std::unique_ptr<Operation> operation) WORMHOLE_EXCLUDES(mutex_);
  void Loop();
  // Waits for operations and takes all of them. Returns whether the destructor has begun.
  bool Take(Operations& taken) WORMHOLE_EXCLUDES(mutex_);
  // True: there is something to do. False: there is not yet, but an answer has waited long enough.
  bool AwaitWork() WORMHOLE_REQUIRES(mutex_);
  void RunAll(Operations operations);
  // Runs one batch from operations[begin] on; returns its end.
  size_t RunBatch(Operations& operations, size_t begin);
  // Queues the answers of a batch, and gives them when they are not to wait.
  void QueueAnswers(Operations& operations, size_t begin, size_t end) WORMHOLE_EXCLUDES(mutex_);
  void WakeForQueue() WORMHOLE_REQUIRES(mutex_);
  // Gives the answers that are there, then those that have come meanwhile, and so on for at most
  // `rounds`. Gives none while another thread does so.
  void GiveAnswers(int rounds) WORMHOLE_EXCLUDES(mutex_);

  BatchTarget* const target_;
  sync::Mutex mutex_;
  sync::CondVar changed_;
  Operations queue_ WORMHOLE_GUARDED_BY(mutex_);
  Operations answers_ WORMHOLE_GUARDED_BY(mutex_);  // of batches that are over
  bool answering_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool idle_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool stopping_ WORMHOLE_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_COMMIT_THREAD_H_
