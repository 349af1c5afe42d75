#include "relay/store/etcd/watcher.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::RangeResponse;
using etcdserverpb::TxnResponse;

// Answers when the test does.
class ScriptedEtcd final : public EtcdApi {
 public:
  size_t endpoints() const override { return 1; }
  void Stop() override {}
  void Txn(std::shared_ptr<const etcdserverpb::TxnRequest>, Done<TxnResponse> done) override {
    txns.push_back(std::move(done));
  }
  void Range(etcdserverpb::RangeRequest, Done<RangeResponse> done) override {
    ranges.push_back(std::move(done));
  }
  void Grant(int64_t, Done<etcdserverpb::LeaseGrantResponse>) override {}
  void Revoke(int64_t, Done<etcdserverpb::LeaseRevokeResponse>) override {}
  void KeepAlive(int64_t, Done<etcdserverpb::LeaseKeepAliveResponse>) override {}
  void Watch(etcdserverpb::WatchCreateRequest, OnWatched on_response, OnEnd on_end) override {
    watches.push_back({std::move(on_response), std::move(on_end)});
  }

  struct Watched {
    OnWatched on_response;
    OnEnd on_end;
  };

  std::deque<Done<RangeResponse>> ranges;
  std::deque<Done<TxnResponse>> txns;
  std::deque<Watched> watches;
};

class WatcherTest : public ::testing::Test {
 protected:
  // What etcd has at `revision`: a record that was written at `written`; 0: nothing.
  RangeResponse At(int64_t revision, int64_t written = 0) const {
    RangeResponse range;
    range.mutable_header()->set_cluster_id(14);
    range.mutable_header()->set_raft_term(2);
    range.mutable_header()->set_revision(revision);
    if (written == 0) return range;
    etcdserverpb::KeyValue* const record = range.add_kvs();
    record->set_key(keys_.Record({"a", 7}));
    record->set_value("v");
    record->set_mod_revision(written);
    return range;
  }

  void Answer(const absl::StatusOr<RangeResponse>& range) {
    ASSERT_FALSE(etcd_.ranges.empty());
    const auto done = std::move(etcd_.ranges.front());
    etcd_.ranges.pop_front();
    done(range);
  }

  void EndWatch() {
    ASSERT_FALSE(etcd_.watches.empty());
    const auto on_end = std::move(etcd_.watches.front().on_end);
    etcd_.watches.pop_front();
    on_end(absl::UnavailableError("lost"));
  }

  // Whether the watch goes on after a word of an etcd that has come to `revision`.
  bool Tell(int64_t revision, bool created) {
    etcdserverpb::WatchResponse response;
    *response.mutable_header() = At(revision).header();
    response.set_created(created);
    return etcd_.watches.front().on_response(response);
  }

  // The same, after an event: the record was written at `revision`.
  bool TellOf(int64_t revision) {
    etcdserverpb::WatchResponse response;
    *response.mutable_header() = At(revision).header();
    *response.add_events()->mutable_kv() = At(revision, revision).kvs(0);
    return etcd_.watches.front().on_response(response);
  }

  // A watch has told of an event at 21, and has ended before etcd has answered what was asked when
  // it began, of the record that was written at 5. It is about to be asked again.
  void LeaveAWatchUnconfirmed() {
    watcher_.Tick(absl::Seconds(1));
    Answer(At(10, 5));
    Answer(At(10));
    EXPECT_TRUE(Tell(20, /*created=*/true));
    EXPECT_TRUE(TellOf(21));
    EndWatch();
    Answer(absl::UnavailableError("it is away"));
    watcher_.Tick(absl::Seconds(2));
  }

  // What is under the key of the last event, and what was one revision earlier.
  void AnswerThatTheRecordWasThereFrom(int64_t written) {
    ASSERT_FALSE(etcd_.txns.empty());
    const auto done = std::move(etcd_.txns.front());
    etcd_.txns.pop_front();
    TxnResponse then;
    *then.add_responses()->mutable_response_range() = At(written, written);
    then.add_responses()->mutable_response_range();
    done(then);
  }

  void AnswerThatItIsCompacted() {
    ASSERT_FALSE(etcd_.txns.empty());
    const auto done = std::move(etcd_.txns.front());
    etcd_.txns.pop_front();
    done(absl::OutOfRangeError("compacted"));
  }

  // Both what is under the key of the last event, and one revision earlier: nothing was there.
  void AnswerThatNothingWasThere() {
    ASSERT_FALSE(etcd_.txns.empty());
    const auto done = std::move(etcd_.txns.front());
    etcd_.txns.pop_front();
    TxnResponse then;
    then.add_responses()->mutable_response_range();
    then.add_responses()->mutable_response_range();
    done(then);
  }

  const EtcdKeys keys_{"w/"};
  ScriptedEtcd etcd_;
  EtcdCache cache_{&keys_, "one", [](const ChannelRef&, Role) {}};
  int restored_ = 0;
  EtcdWatcher watcher_{&keys_,
                       &etcd_,
                       &cache_,
                       {.on_read = [](const absl::Status&) { return true; },
                        .on_restored = [this] { ++restored_; },
                        .on_lost = [] {},
                        .on_clocks = [](const std::vector<ClockSighting>&, bool) {},
                        .on_clock = [](const ClockSighting&) {}}};
};

// It goes away before all was read anew, and comes back further on, with what it was judged by
// compacted.
TEST_F(WatcherTest, ThatEtcdWasRestoredIsNotForgottenWhileItIsAway) {
  watcher_.Tick(absl::Seconds(1));
  Answer(At(10, 5));  // the records
  Answer(At(10));     // the clocks
  EndWatch();
  watcher_.Tick(absl::Seconds(2));
  Answer(At(9, 5));                              // it has gone back
  Answer(absl::UnavailableError("it is away"));  // the records
  EXPECT_EQ(restored_, 0);
  watcher_.Tick(absl::Seconds(3));
  Answer(At(40, 30));
  for (const auto& then : etcd_.txns) then(absl::OutOfRangeError("compacted"));
  Answer(At(40, 30));
  Answer(At(40));
  EXPECT_EQ(restored_, 1);
}

// Between the question and the watch, and others have written so much that it is further on.
TEST_F(WatcherTest, AnEtcdThatIsRestoredJustBeforeTheWatchBegins) {
  watcher_.Tick(absl::Seconds(1));
  Answer(At(10, 5));  // the records
  Answer(At(10));     // the clocks
  EndWatch();
  watcher_.Tick(absl::Seconds(2));
  Answer(At(10, 5));  // the same etcd
  EXPECT_TRUE(Tell(20, /*created=*/true));
  Answer(At(20));
  AnswerThatNothingWasThere();
  EXPECT_FALSE(Tell(21, /*created=*/false));
  EndWatch();
  watcher_.Tick(absl::Seconds(3));
  Answer(At(22));
  Answer(At(22));
  Answer(At(22));
  EXPECT_EQ(restored_, 1);
}

// Its watch tells of the restored etcd, and ends before the question has its answer.
TEST_F(WatcherTest, WhatWasNotAnsweredBeforeTheWatchEndedIsAskedBeforeTheNext) {
  LeaveAWatchUnconfirmed();
  Answer(At(22, 21));  // written again, for all that this says
  AnswerThatNothingWasThere();
  Answer(At(22, 21));
  Answer(At(22));
  EXPECT_EQ(restored_, 1);
}

// It is compacted meanwhile, and what came last is not.
TEST_F(WatcherTest, WhatCameLastIsAskedToo) {
  LeaveAWatchUnconfirmed();
  Answer(At(30, 29));
  AnswerThatItIsCompacted();
  Answer(At(30, 29));
  AnswerThatNothingWasThere();
  Answer(At(30, 29));
  Answer(At(30));
  EXPECT_EQ(restored_, 1);
}

// It is compacted meanwhile, and what came last says nothing of what was before it.
TEST_F(WatcherTest, WhatNobodyCouldConfirmIsReadAnew) {
  LeaveAWatchUnconfirmed();
  Answer(At(21, 21));
  AnswerThatItIsCompacted();
  Answer(At(21, 21));
  EXPECT_TRUE(etcd_.watches.empty());
  ASSERT_EQ(etcd_.ranges.size(), 1u) << "the records";
  Answer(At(21, 21));
  Answer(At(21));
  EXPECT_EQ(etcd_.watches.size(), 1u);
}

// As above, over two watches, and the second one's etcd is the one that was known before.
TEST_F(WatcherTest, WhatIsAnsweredBeforeTheNextWatchIsNotAskedOfIt) {
  LeaveAWatchUnconfirmed();
  watcher_.Tick(absl::Seconds(3));
  ASSERT_EQ(etcd_.ranges.size(), 1u) << "once at a time";
  Answer(At(21, 21));
  AnswerThatTheRecordWasThereFrom(5);
  Answer(At(21, 21));  // what came last
  EXPECT_TRUE(Tell(21, /*created=*/true));
  Answer(At(21, 21));
  EXPECT_TRUE(etcd_.txns.empty()) << "it was asked for what came last";
  EXPECT_TRUE(Tell(22, /*created=*/false));
  EXPECT_EQ(restored_, 0);
}

TEST_F(WatcherTest, WhatWasNotAnsweredIsAskedAgain) {
  watcher_.Tick(absl::Seconds(1));
  Answer(At(10, 5));
  Answer(At(10));
  EXPECT_TRUE(Tell(20, /*created=*/true));
  Answer(absl::UnavailableError("it has no leader"));
  watcher_.Tick(absl::Seconds(2));
  watcher_.Tick(absl::Seconds(3));
  ASSERT_EQ(etcd_.ranges.size(), 1u) << "once at a time";
  Answer(At(20));
  AnswerThatNothingWasThere();
  EXPECT_FALSE(Tell(21, /*created=*/false));
}

// Nobody can tell, as when etcd is asked whether a watch may go on; nor is it asked again.
TEST_F(WatcherTest, WhatWasCompactedIsNoOtherHistory) {
  watcher_.Tick(absl::Seconds(1));
  Answer(At(10, 5));
  Answer(At(10));
  EXPECT_TRUE(Tell(20, /*created=*/true));
  Answer(At(20));
  ASSERT_EQ(etcd_.txns.size(), 1u);
  etcd_.txns.front()(absl::OutOfRangeError("compacted"));
  watcher_.Tick(absl::Seconds(2));
  EXPECT_TRUE(etcd_.ranges.empty());
  EXPECT_TRUE(Tell(21, /*created=*/false));
}

// What is asked of a watch says nothing of the next one's etcd.
TEST_F(WatcherTest, AnAnswerThatComesWhenItsWatchIsOver) {
  watcher_.Tick(absl::Seconds(1));
  Answer(At(10, 5));
  Answer(At(10));
  EXPECT_TRUE(Tell(10, /*created=*/true));
  EndWatch();
  const auto late = std::move(etcd_.ranges.front());
  etcd_.ranges.pop_front();
  watcher_.Tick(absl::Seconds(2));
  Answer(At(9, 5));  // it has gone back
  Answer(At(9, 5));
  Answer(At(9));
  EXPECT_EQ(restored_, 1);
  late(At(9));
  EXPECT_TRUE(Tell(9, /*created=*/true));
  EXPECT_TRUE(Tell(10, /*created=*/false));
  EXPECT_EQ(restored_, 1);
}

}  // namespace
}  // namespace wormhole::relay
