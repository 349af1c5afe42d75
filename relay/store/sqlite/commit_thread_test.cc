#include "relay/store/sqlite/commit_thread.h"

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "relay/store/store_away.h"

namespace wormhole::relay {
namespace {

using ::testing::ElementsAre;

// Notes what happens on the thread. Read after the thread has been joined.
class RecordingTarget : public BatchTarget {
 public:
  absl::Status Commit(size_t operations) override {
    committed.push_back(operations);
    notes.push_back(commit_status.ok() ? "commit" : "no commit");
    return commit_status;
  }
  void Rollback(const absl::Status& /*cause*/) override { notes.push_back("rollback"); }
  bool Full() const override { return full; }

  std::vector<std::string> notes;
  std::vector<size_t> committed;  // how many operations at a time
  absl::Status commit_status;
  bool full = false;
};

class CommitThreadTest : public ::testing::Test {
 protected:
  void Add(int number, const absl::Status& work_status = absl::OkStatus()) {
    thread_->Add<int>(
        [this, number, work_status]() -> absl::StatusOr<int> {
          target_.notes.push_back("run " + std::to_string(number));
          if (!work_status.ok()) return work_status;
          return number;
        },
        [this](absl::StatusOr<int> result) {
          target_.notes.push_back(result.ok() ? "done " + std::to_string(*result)
                                              : "failed " + std::string(result.status().message()));
        });
  }

  // Calls that are queued inside the answer of another become one batch. Forgets earlier notes.
  void InOneBatch(std::function<void()> calls) {
    queued_ = std::promise<void>();
    thread_->Add<int>([]() -> absl::StatusOr<int> { return 0; },
                      [this, calls = std::move(calls)](const absl::StatusOr<int>&) {
                        target_.notes.clear();
                        calls();
                        queued_.set_value();
                      });
    thread_->Flush();
    queued_.get_future().wait();
  }

  const std::vector<std::string>& Stop() {
    thread_.reset();
    return target_.notes;
  }

  RecordingTarget target_;
  std::promise<void> queued_;
  std::unique_ptr<CommitThread> thread_ = std::make_unique<CommitThread>(&target_);
};

// A call whose answer can wait has been committed, and the thread is at work on another one.
class AnswerTimeTest : public CommitThreadTest {
 protected:
  AnswerTimeTest() {
    target_.full = true;  // a batch for each
    thread_->Add<int>([]() -> absl::StatusOr<int> { return 1; },
                      [this](const absl::StatusOr<int>&) {
                        answers_.push_back("soon");
                        soon_by_ = std::this_thread::get_id();
                        if (on_soon_) on_soon_();
                      },
                      AnswerTime::kSoon);
    thread_->Add<int>(
        [this]() -> absl::StatusOr<int> {
          at_work_.set_value();
          released_.get_future().wait();
          return 2;
        },
        [this](const absl::StatusOr<int>&) {
          answers_.push_back("at once");
          last_.set_value();
        });
    thread_->Flush();
    at_work_.get_future().wait();
  }
  ~AnswerTimeTest() override { Stop(); }

  std::vector<std::string> answers_;  // of one thread at a time
  std::thread::id soon_by_;
  std::function<void()> on_soon_;
  std::promise<void> at_work_, released_, last_;
};

TEST_F(AnswerTimeTest, TheNextFlushGivesAnAnswerThatCanWait) {
  EXPECT_THAT(answers_, ElementsAre());
  thread_->Flush();
  EXPECT_THAT(answers_, ElementsAre("soon"));
  EXPECT_EQ(soon_by_, std::this_thread::get_id());
  released_.set_value();
}

TEST_F(AnswerTimeTest, TheNextBatchBringsItWhenNobodyFlushes) {
  released_.set_value();
  last_.get_future().wait();
  EXPECT_THAT(answers_, ElementsAre("soon", "at once"));
  EXPECT_NE(soon_by_, std::this_thread::get_id());
}

TEST_F(AnswerTimeTest, WhatAnAnswerQueuesInsideAFlushNeedsNoOther) {
  std::promise<void> done;
  on_soon_ = [this, &done] {
    thread_->Add<int>([]() -> absl::StatusOr<int> { return 3; },
                      [&done](const absl::StatusOr<int>&) { done.set_value(); });
  };
  thread_->Flush();
  released_.set_value();
  done.get_future().wait();
}

TEST_F(CommitThreadTest, AnAnswerThatNobodyComesForIsGivenAllTheSame) {
  std::promise<void> done;
  thread_->Add<int>([]() -> absl::StatusOr<int> { return 1; },
                    [&done](const absl::StatusOr<int>&) { done.set_value(); }, AnswerTime::kSoon);
  thread_->Flush();
  done.get_future().wait();
}

TEST_F(CommitThreadTest, ABatchCommitsOnceAndThenAnswersInOrder) {
  InOneBatch([this] {
    Add(1);
    Add(2);
    Add(3);
  });
  EXPECT_THAT(Stop(),
              ElementsAre("run 1", "run 2", "run 3", "commit", "done 1", "done 2", "done 3"));
  EXPECT_EQ(target_.committed.back(), 3u);
}

TEST_F(CommitThreadTest, AFullTargetEndsTheBatch) {
  InOneBatch([this] {
    target_.full = true;
    Add(1);
    Add(2);
  });
  EXPECT_THAT(Stop(), ElementsAre("run 1", "commit", "done 1", "run 2", "commit", "done 2"));
  EXPECT_EQ(target_.committed.back(), 1u);
}

TEST_F(CommitThreadTest, AnUnavailableCallFailsItsBatch) {
  InOneBatch([this] {
    Add(1);
    Add(2, StoreAway("broken"));
    Add(3);
  });
  EXPECT_THAT(Stop(), ElementsAre("run 1", "run 2", "rollback", "failed broken", "failed broken",
                                  "failed broken"));
}

TEST_F(CommitThreadTest, TheBatchAfterAFailedOneIsTriedAnew) {
  InOneBatch([this] { Add(1, StoreAway("broken")); });
  InOneBatch([this] { Add(2); });
  EXPECT_THAT(Stop(), ElementsAre("run 2", "commit", "done 2"));
}

TEST_F(CommitThreadTest, AFailedCommitFailsTheBatch) {
  InOneBatch([this] {
    target_.commit_status = StoreAway("full");
    Add(1);
    Add(2);
  });
  EXPECT_THAT(Stop(),
              ElementsAre("run 1", "run 2", "no commit", "rollback", "failed full", "failed full"));
}

TEST_F(CommitThreadTest, AnotherErrorIsAnAnswer) {
  InOneBatch([this] {
    Add(1, absl::NotFoundError("gone"));
    Add(2);
  });
  EXPECT_THAT(Stop(), ElementsAre("run 1", "run 2", "commit", "failed gone", "done 2"));
}

TEST_F(CommitThreadTest, TheDestructorRefusesWhatAnswersQueueOnTop) {
  CommitThread* const thread = thread_.get();
  std::vector<std::string> notes;
  // Each answer queues one more call, for ever if the thread let it.
  Store::Done<int> again = [&](const absl::StatusOr<int>& result) {
    notes.push_back(result.ok() ? "done" : "refused");
    if (result.ok()) return thread->Add<int>([]() -> absl::StatusOr<int> { return 0; }, again);
    EXPECT_EQ(error::ReasonOf(result.status()), error::ErrorDetail::REASON_STORE_AWAY);
  };
  thread->Add<int>([]() -> absl::StatusOr<int> { return 0; }, again);
  thread_.reset();
  EXPECT_EQ(notes.front(), "done");
  EXPECT_EQ(notes.back(), "refused");
}

}  // namespace
}  // namespace wormhole::relay
