#include "relay/store/sqlite/commit_thread.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <limits>

#include "relay/store/store_away.h"

namespace wormhole::relay {
namespace {

// Bounds how long the first call of a batch waits for the last one.
constexpr size_t kMaxBatch = 512;

// How long an answer waits for a Flush. Longer than two sides take to answer each other on a fast
// network, and too short to be noticed.
constexpr std::chrono::microseconds kAnswerWait(200);

// Most rounds of answers in one Flush. Without a bound, the answers of all other threads would keep
// a thread that only flushes its own call.
constexpr int kRoundsOfAFlush = 2;
constexpr int kAll = std::numeric_limits<int>::max();

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
}

void CommitThread::Flush() {
  {
    sync::MutexLock lock(mutex_);
    WakeForQueue();
    if (answers_.empty()) return;
  }
  GiveAnswers(kRoundsOfAFlush);
}

// A thread that is at work looks at the queue again before it sleeps.
void CommitThread::WakeForQueue() {
  if (!idle_ || queue_.empty()) return;
  idle_ = false;
  changed_.NotifyOne();
}

bool CommitThread::AwaitWork() {
  const auto limit = std::chrono::steady_clock::now() + kAnswerWait;
  while (queue_.empty() && !stopping_) {
    idle_ = true;
    if (answers_.empty() || answering_) {
      changed_.Wait(mutex_);
    } else if (!changed_.WaitUntil(mutex_, limit)) {
      break;
    }
  }
  idle_ = false;
  return !queue_.empty() || stopping_;
}

bool CommitThread::Take(Operations& taken) {
  sync::MutexLock lock(mutex_);
  while (!AwaitWork()) {
    mutex_.Unlock();
    GiveAnswers(kAll);
    mutex_.Lock();
  }
  taken.swap(queue_);
  return stopping_;
}

void CommitThread::Loop() {
  Operations taken;
  while (!Take(taken)) RunAll(std::exchange(taken, {}));
  RunAll(std::exchange(taken, {}));
  GiveAnswers(kAll);
  // Only an answer can have queued anything by now.
  const absl::Status closing = StoreAway("the store is closing");
  for (Take(taken); !taken.empty(); Take(taken)) {
    for (auto& operation : taken) operation->Fail(closing);
    QueueAnswers(taken, 0, taken.size());
    taken.clear();
    GiveAnswers(kAll);
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
  if (status.ok()) status = target_->Commit(end - begin);
  if (!status.ok()) {
    target_->Rollback(status);
    // The rest would most likely fail as well, each after its own wait.
    end = limit;
    for (size_t i = begin; i < end; ++i) operations[i]->Fail(status);
  }
  QueueAnswers(operations, begin, end);
  return end;
}

void CommitThread::QueueAnswers(Operations& operations, size_t begin, size_t end) {
  const auto first = operations.begin() + static_cast<ptrdiff_t>(begin);
  const auto last = operations.begin() + static_cast<ptrdiff_t>(end);
  bool at_once = std::any_of(first, last, [](const std::unique_ptr<Operation>& operation) {
    return operation->time() == AnswerTime::kAtOnce;
  });
  {
    sync::MutexLock lock(mutex_);
    // Nobody has called Flush for earlier answers while a whole batch was committed.
    at_once = at_once || !answers_.empty();
    answers_.insert(answers_.end(), std::make_move_iterator(first), std::make_move_iterator(last));
  }
  if (at_once) GiveAnswers(kAll);
}

void CommitThread::GiveAnswers(int rounds) {
  Operations given;
  sync::MutexLock lock(mutex_);
  if (answering_) return;
  answering_ = true;
  for (int round = 0; round < rounds && !answers_.empty(); ++round) {
    given.swap(answers_);
    mutex_.Unlock();
    for (auto& operation : given) {
      operation->Answer();
      operation.reset();
    }
    given.clear();
    mutex_.Lock();
  }
  answering_ = false;
  WakeForQueue();                               // for what the answers have queued
  if (!answers_.empty()) changed_.NotifyOne();  // the thread may wait without a limit
}

}  // namespace wormhole::relay
