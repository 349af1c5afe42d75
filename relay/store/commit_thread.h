// Group commit: one thread that carries out a store's calls in order, in batches.
//
// A batch is whatever has been queued when the thread gets around to it, so that a store that is
// slow to commit commits many calls at once, and an idle one commits each call at once: no timer.
#ifndef WORMHOLE_RELAY_STORE_COMMIT_THREAD_H_
#define WORMHOLE_RELAY_STORE_COMMIT_THREAD_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/sync/mutex.h"
#include "relay/store/store.h"

namespace wormhole::relay {

// What is under a CommitThread. Called on its thread only.
class BatchTarget {
 public:
  virtual ~BatchTarget() = default;

  // Makes what the batch has done durable. When this fails, Rollback follows; the batch may at
  // most be found committed when the process has ended before the next commit.
  virtual absl::Status Commit() = 0;

  // Undoes what the batch has done so far, because of this error.
  virtual void Rollback(const absl::Status& cause) = 0;

  // Whether the batch holds so much already that it should end here.
  virtual bool Full() const = 0;
};

class CommitThread {
 public:
  // `target` outlives this object.
  explicit CommitThread(BatchTarget* target);

  // Carries out what has been queued, answers with UNAVAILABLE what its answers queue on top, and
  // joins the thread. Not to be called from a `done`.
  ~CommitThread();

  CommitThread(const CommitThread&) = delete;
  CommitThread& operator=(const CommitThread&) = delete;

  // Queues `work`, a callable that returns absl::StatusOr<T>. After it has run and its batch is
  // committed, `done` runs with what it returned; both on the thread of this object. UNAVAILABLE
  // from `work`, or a commit that fails, fails the batch: every `done` of it gets that error, also
  // of calls whose turn had not come. Any other error is an answer like any other.
  template <typename T, typename Work>
  void Add(Work work, Store::Done<T> done) {
    Enqueue(std::make_unique<Call<T, Work>>(std::move(work), std::move(done)));
  }

 private:
  class Operation {
   public:
    virtual ~Operation() = default;
    // OK, or why the batch has failed.
    virtual absl::Status Run() = 0;
    virtual void Answer() = 0;
    virtual void Fail(const absl::Status& status) = 0;
  };
  using Operations = std::vector<std::unique_ptr<Operation>>;

  template <typename T, typename Work>
  class Call : public Operation {
   public:
    Call(Work work, Store::Done<T> done) : work_(std::move(work)), done_(std::move(done)) {}

    absl::Status Run() override {
      result_.emplace(work_());
      return absl::IsUnavailable(result_->status()) ? result_->status() : absl::OkStatus();
    }
    void Answer() override { done_(*std::move(result_)); }
    void Fail(const absl::Status& status) override { done_(status); }

   private:
    Work work_;
    Store::Done<T> done_;
    std::optional<absl::StatusOr<T>> result_;
  };

  void Enqueue(std::unique_ptr<Operation> operation) WORMHOLE_EXCLUDES(mutex_);
  void Loop();
  // Waits for operations and takes all of them. Returns whether the destructor has begun.
  bool Take(Operations& taken) WORMHOLE_EXCLUDES(mutex_);
  void RunAll(Operations operations);
  // Runs one batch from operations[begin] on; returns its end.
  size_t RunBatch(Operations& operations, size_t begin);

  BatchTarget* const target_;
  sync::Mutex mutex_;
  sync::CondVar changed_;
  Operations queue_ WORMHOLE_GUARDED_BY(mutex_);
  bool idle_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool stopping_ WORMHOLE_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_COMMIT_THREAD_H_
