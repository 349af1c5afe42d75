#include "relay/store/commit_thread.h"

#include <algorithm>

#include "relay/store/store_away.h"

namespace wormhole::relay {
namespace {

// Bounds how long the first call of a batch waits for the last one.
constexpr size_t kMaxBatch = 512;

}  // namespace

CommitThread::CommitThread(BatchTarget* target) : target_(target), thread_([this] { Loop(); }) {}

CommitThread::~CommitThread() {
  {
    sync::MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyOne();
  }
  thread_.join();
}

void CommitThread::Enqueue(std::unique_ptr<Operation> operation) {
  sync::MutexLock lock(mutex_);
  queue_.push_back(std::move(operation));
  // A thread that is at work looks at the queue again before it sleeps.
  if (!idle_) return;
  idle_ = false;
  changed_.NotifyOne();
}

bool CommitThread::Take(Operations& taken) {
  sync::MutexLock lock(mutex_);
  while (queue_.empty() && !stopping_) {
    idle_ = true;
    changed_.Wait(mutex_);
  }
  idle_ = false;
  taken.swap(queue_);
  return stopping_;
}

void CommitThread::Loop() {
  Operations taken;
  while (!Take(taken)) RunAll(std::exchange(taken, {}));
  RunAll(std::exchange(taken, {}));
  // Only an answer can have queued anything by now.
  const absl::Status closing = StoreAway("the store is closing");
  for (Take(taken); !taken.empty(); Take(taken)) {
    for (auto& operation : std::exchange(taken, {})) operation->Fail(closing);
  }
}

void CommitThread::RunAll(Operations operations) {
  for (size_t begin = 0; begin < operations.size();) begin = RunBatch(operations, begin);
}

size_t CommitThread::RunBatch(Operations& operations, size_t begin) {
  const size_t limit = std::min(operations.size(), begin + kMaxBatch);
  size_t end = begin;
  absl::Status status;
  do {
    status = operations[end++]->Run();
  } while (status.ok() && end < limit && !target_->Full());
  if (status.ok()) status = target_->Commit();
  if (!status.ok()) {
    target_->Rollback(status);
    // The rest would most likely fail as well, each after its own wait.
    end = limit;
  }
  for (size_t i = begin; i < end; ++i) {
    status.ok() ? operations[i]->Answer() : operations[i]->Fail(status);
    operations[i].reset();
  }
  return end;
}

}  // namespace wormhole::relay
