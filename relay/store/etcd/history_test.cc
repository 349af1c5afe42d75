#include "relay/store/etcd/history.h"

#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::KeyValue;
using etcdserverpb::RangeResponse;
using etcdserverpb::ResponseHeader;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;
using etcdserverpb::WatchResponse;
using Verdict = EtcdHistory::Verdict;

constexpr uint64_t kCluster = 14;
constexpr char kWatched[] = "w";  // the first key

ResponseHeader Header(int64_t revision, uint64_t cluster = kCluster, uint64_t term = 2) {
  ResponseHeader header;
  header.set_cluster_id(cluster);
  header.set_revision(revision);
  header.set_raft_term(term);
  return header;
}

KeyValue Kv(const std::string& key, int64_t revision, const std::string& value = "v") {
  KeyValue kv;
  kv.set_key(key);
  kv.set_mod_revision(revision);
  kv.set_value(value);
  return kv;
}

RangeResponse Range(const ResponseHeader& header, const std::vector<KeyValue>& kvs = {}) {
  RangeResponse range;
  *range.mutable_header() = header;
  for (const KeyValue& kv : kvs) *range.add_kvs() = kv;
  return range;
}

WatchResponse Watched(const ResponseHeader& header) {
  WatchResponse response;
  *response.mutable_header() = header;
  return response;
}

WatchResponse Created(const ResponseHeader& header) {
  WatchResponse response = Watched(header);
  response.set_created(true);
  return response;
}

WatchResponse Put(const std::string& key, int64_t revision, const std::string& value = "v") {
  WatchResponse response = Watched(Header(revision));
  *response.add_events()->mutable_kv() = Kv(key, revision, value);
  return response;
}

WatchResponse Deletion(const std::string& key, int64_t revision) {
  WatchResponse response = Put(key, revision, "");
  response.mutable_events(0)->set_type(etcdserverpb::Event::DELETE);
  return response;
}

EtcdHistory::Answer Wrote(const std::string& key, int64_t revision,
                          const std::string& value = "v") {
  TxnRequest request;
  request.add_success()->mutable_request_put()->set_key(key);
  request.mutable_success(0)->mutable_request_put()->set_value(value);
  TxnResponse response;
  *response.mutable_header() = Header(revision);
  response.set_succeeded(true);
  response.add_responses()->mutable_response_put();
  return EtcdHistory::AnswerOf(request, response, kWatched);
}

class EtcdHistoryTest : public ::testing::Test {
 protected:
  // All was read as of revision 7, and the newest record is of revision 5.
  EtcdHistoryTest() { history_.TakeRecords(Header(7), {Kv("w1", 5), Kv("w2", 3)}, false); }

  // What becomes of a watch that was lost: whether it goes on.
  Verdict Now(const RangeResponse& now) const { return history_.JudgeNow(history_.Ask(), now); }
  Verdict Then(const std::vector<KeyValue>& then, const std::vector<KeyValue>& before) const {
    TxnResponse answer;
    *answer.add_responses()->mutable_response_range() = Range({}, then);
    *answer.add_responses()->mutable_response_range() = Range({}, before);
    return EtcdHistory::JudgeThen(history_.Ask(), answer);
  }

  EtcdHistory history_;
};

TEST_F(EtcdHistoryTest, IsKnownByTheNewestRecordWhenNoEventWasSeen) {
  EXPECT_EQ(history_.Ask().last.key, "w1");
  EXPECT_EQ(Now(Range(Header(7), {Kv("w1", 5)})), Verdict::kSame);
  EXPECT_EQ(Now(Range(Header(7), {Kv("w1", 5, "another value")})), Verdict::kAnother);
  EXPECT_EQ(Now(Range(Header(7), {Kv("w1", 4)})), Verdict::kAnother);
  EXPECT_EQ(Now(Range(Header(9), {Kv("w1", 8)})), Verdict::kUnclear);
  EXPECT_EQ(Now(Range(Header(9))), Verdict::kUnclear);
}

TEST_F(EtcdHistoryTest, IsKnownByTheLastEvent) {
  EXPECT_TRUE(history_.TakeWatched(Put("w3", 8)));
  EXPECT_EQ(history_.Ask().last.key, "w3");
  EXPECT_EQ(Now(Range(Header(8), {Kv("w3", 8)})), Verdict::kSame);
  EXPECT_EQ(Now(Range(Header(8), {Kv("w3", 6)})), Verdict::kAnother);
}

TEST_F(EtcdHistoryTest, IsKnownByWhatWasThere) {
  history_.TakeWatched(Put("w3", 8, "x"));
  EXPECT_EQ(Then({Kv("w3", 8, "x")}, {}), Verdict::kSame);
  EXPECT_EQ(Then({Kv("w3", 8, "y")}, {}), Verdict::kAnother);
  EXPECT_EQ(Then({}, {}), Verdict::kAnother);
  history_.TakeWatched(Deletion("w3", 9));
  EXPECT_EQ(Then({}, {Kv("w3", 8, "x")}), Verdict::kSame);
  EXPECT_EQ(Then({}, {}), Verdict::kAnother);
  EXPECT_EQ(Then({Kv("w3", 8, "x")}, {Kv("w3", 8, "x")}), Verdict::kAnother);
  const TxnRequest question = EtcdHistory::AskThen(history_.Ask());
  ASSERT_EQ(question.success_size(), 2);
  EXPECT_EQ(question.success(0).request_range().key(), "w3");
  EXPECT_EQ(question.success(0).request_range().revision(), 9);
  EXPECT_EQ(question.success(1).request_range().revision(), 8);
}

TEST_F(EtcdHistoryTest, NeverGoesBack) {
  EXPECT_EQ(Now(Range(Header(6), {Kv("w1", 5)})), Verdict::kAnother);
  EXPECT_EQ(Now(Range(Header(9, 15), {Kv("w1", 5)})), Verdict::kAnother);
  WatchResponse progress = Watched(Header(7, kCluster, 4));
  EXPECT_TRUE(history_.TakeWatched(progress));
  EXPECT_EQ(Now(Range(Header(9, kCluster, 3), {Kv("w1", 5)})), Verdict::kAnother);
  EXPECT_EQ(Now(Range(Header(9, kCluster, 4), {Kv("w1", 5)})), Verdict::kSame);
}

// An answer that came after the question.
TEST_F(EtcdHistoryTest, IsJudgedByWhatWasKnownWhenItWasAsked) {
  const EtcdHistory::Question question = history_.Ask();
  history_.TakeAnswer(Wrote("w3", 8), 0);
  EXPECT_EQ(history_.JudgeNow(question, Range(Header(7), {Kv("w1", 5)})), Verdict::kSame);
  EXPECT_EQ(Now(Range(Header(7), {Kv("w1", 5)})), Verdict::kAnother);
}

// The relay has written, and etcd was restored without it and has come as far again before this
// relay could ask.
TEST_F(EtcdHistoryTest, AWatchThatPassesWhatAnAnswerHasShownIsOfAnother) {
  history_.TakeAnswer(Wrote("w3", 8), 0);
  EXPECT_EQ(Now(Range(Header(8), {Kv("w1", 5)})), Verdict::kSame);
  EXPECT_TRUE(history_.TakeWatched(Created(Header(8))));
  EXPECT_TRUE(history_.TakeWatched(Put("clock", 8)));
  EXPECT_FALSE(history_.TakeWatched(Put("clock", 9)));
  EXPECT_EQ(Now(Range(Header(9), {Kv("clock", 9)})), Verdict::kAnother);
  history_.TakeRecords(Header(9), {Kv("w1", 5)}, /*another=*/true);
  EXPECT_EQ(history_.WatchFrom(), 9);
  EXPECT_EQ(Now(Range(Header(9), {Kv("w1", 5)})), Verdict::kSame);
  EXPECT_TRUE(history_.TakeWatched(Put("w3", 10)));
}

TEST_F(EtcdHistoryTest, ToldOfProgressAWatchHasPassedToo) {
  history_.TakeAnswer(Wrote("w3", 8), 0);
  EXPECT_TRUE(history_.TakeWatched(Watched(Header(7))));
  EXPECT_FALSE(history_.TakeWatched(Watched(Header(8))));
}

// A header may be ahead of the events.
TEST_F(EtcdHistoryTest, AWatchThatTellsOfItLaterIsOfTheSame) {
  history_.TakeAnswer(Wrote("w3", 9), 0);
  WatchResponse piece = Put("w2", 8);
  *piece.mutable_header() = Header(12);
  EXPECT_TRUE(history_.TakeWatched(piece));
  EXPECT_TRUE(history_.TakeWatched(Put("w1", 9)));
  EXPECT_TRUE(history_.TakeWatched(Put("w3", 9)));
  EXPECT_TRUE(history_.TakeWatched(Put("w4", 10)));
}

// It was lost in the middle, and tells that again.
TEST_F(EtcdHistoryTest, WhatIsToldAgainIsNotTheLastEvent) {
  history_.TakeWatched(Put("w3", 8));
  history_.TakeWatched(Put("w4", 9));
  EXPECT_EQ(history_.WatchFrom(), 8);
  EXPECT_TRUE(history_.TakeWatched(Put("w3", 8)));
  EXPECT_EQ(history_.Ask().last.key, "w4");
}

// The watch may be faster than the answer.
TEST_F(EtcdHistoryTest, WhatTheWatchHasToldItNeedNotTellAgain) {
  history_.TakeWatched(Put("w3", 8));
  history_.TakeAnswer(Wrote("w3", 8), 0);
  EXPECT_TRUE(history_.TakeWatched(Put("w4", 9)));
  history_.TakeAnswer(Wrote("w3", 8), 0);
  EXPECT_TRUE(history_.TakeWatched(Put("w6", 21)));
  history_.TakeRecords(Header(30), {}, false);
  history_.TakeAnswer(Wrote("w7", 30), 0);
  EXPECT_TRUE(history_.TakeWatched(Put("w8", 31)));
}

// The other way round: the answer is of another history than the watch.
TEST_F(EtcdHistoryTest, AnAnswerOfWhatTheWatchHasPassedIsOfAnother) {
  history_.TakeWatched(Put("w3", 8));
  history_.TakeWatched(Put("w4", 9));
  history_.TakeAnswer(Wrote("w5", 8), 0);
  EXPECT_EQ(Now(Range(Header(9), {Kv("w4", 9)})), Verdict::kAnother);
  EXPECT_FALSE(history_.TakeWatched(Put("w6", 10)));
}

// Relays write the same keys again and again, their clocks among them, and may do so at the same
// revision in both histories.
TEST_F(EtcdHistoryTest, AKeyThatChangedToSomethingElseIsOfAnother) {
  history_.TakeAnswer(Wrote("w3", 8, "ten past"), 0);
  EXPECT_TRUE(history_.TakeWatched(Put("w3", 8, "half past")));
  EXPECT_FALSE(history_.TakeWatched(Put("w4", 9)));
}

TEST_F(EtcdHistoryTest, AnAnswerWithSomethingElseThanWasToldIsOfAnother) {
  history_.TakeWatched(Put("w3", 8, "ten past"));
  history_.TakeWatched(Put("w4", 9));
  history_.TakeAnswer(Wrote("w3", 8, "half past"), 0);
  EXPECT_FALSE(history_.TakeWatched(Put("w5", 10)));
}

TEST_F(EtcdHistoryTest, AWatchThatTellsAgainWithSomethingElseIsOfAnother) {
  history_.TakeWatched(Put("w3", 8, "ten past"));
  history_.TakeWatched(Deletion("w4", 9));
  EXPECT_FALSE(history_.TakeWatched(Put("w3", 8, "half past")));
}

TEST_F(EtcdHistoryTest, ADeletionIsNoWriting) {
  history_.TakeWatched(Put("w3", 8));
  history_.TakeWatched(Deletion("w3", 9));
  history_.TakeWatched(Put("w4", 10));
  EXPECT_TRUE(history_.TakeWatched(Deletion("w3", 9)));
  EXPECT_FALSE(history_.TakeWatched(Put("w3", 9, "")));
}

// It has the last event, and had something else before.
TEST_F(EtcdHistoryTest, AWatchThatTellsSomethingElseThanBeforeIsOfAnother) {
  history_.TakeWatched(Put("w3", 8));
  history_.TakeWatched(Deletion("w4", 9));
  EXPECT_EQ(Then({}, {Kv("w4", 4)}), Verdict::kSame);
  EXPECT_EQ(history_.WatchFrom(), 8);
  EXPECT_FALSE(history_.TakeWatched(Put("clock", 8)));
}

// Only so much is remembered.
TEST_F(EtcdHistoryTest, OfWhatIsForgottenNothingIsSaid) {
  history_.TakeWatched(Put("w3", 8));
  for (int64_t revision = 9; revision <= 9 + int64_t{EtcdHistory::kMostTold}; ++revision) {
    ASSERT_TRUE(history_.TakeWatched(Put("w4", revision)));
  }
  history_.TakeAnswer(Wrote("w5", 8), 0);
  EXPECT_TRUE(history_.TakeWatched(Put("w4", 2'000)));
  history_.TakeAnswer(Wrote("w5", 1'000), 0);
  EXPECT_FALSE(history_.TakeWatched(Put("w4", 2'001)));
}

// Else it would be forgotten when etcd goes away before all was read, and comes back compacted.
TEST_F(EtcdHistoryTest, WhatWasFoundOutHoldsUntilAllIsReadAnew) {
  history_.NoteAnother();
  EXPECT_EQ(Now(Range(Header(9), {Kv("w1", 5)})), Verdict::kAnother);
  history_.TakeRecords(Header(9), {Kv("w1", 5)}, true);
  EXPECT_EQ(Now(Range(Header(9), {Kv("w1", 5)})), Verdict::kSame);
}

TEST_F(EtcdHistoryTest, WhatWasReadAnewNeedNotBeTold) {
  history_.TakeAnswer(Wrote("w3", 8), 0);
  history_.TakeAnswer(Wrote("w3", 12), 0);
  history_.TakeRecords(Header(10), {}, false);
  EXPECT_TRUE(history_.TakeWatched(Put("w4", 11)));
  EXPECT_FALSE(history_.TakeWatched(Put("w4", 13)));
}

// Most likely of the history that was, and surely newer than the copy.
TEST_F(EtcdHistoryTest, TheOldestOfWhatIsUntoldStays) {
  history_.TakeAnswer(Wrote("w3", 8), 0);
  for (int64_t revision = 9; revision < 1'000; ++revision) {
    history_.TakeAnswer(Wrote("w4", revision), 0);
  }
  EXPECT_TRUE(history_.TakeWatched(Put("w5", 8)));
  EXPECT_FALSE(history_.TakeWatched(Put("w4", 9)));
}

// A batch that only reads shows the same one again and again.
TEST_F(EtcdHistoryTest, WhatIsShownTwiceIsRememberedOnce) {
  for (size_t i = 0; i < 2 * EtcdHistory::kMostUntold; ++i) {
    history_.TakeAnswer(Wrote("w3", 8), 0);
  }
  history_.TakeAnswer(Wrote("w4", 9), 0);
  EXPECT_TRUE(history_.TakeWatched(Put("w3", 8)));
  EXPECT_FALSE(history_.TakeWatched(Put("w5", 10)));
}

TEST_F(EtcdHistoryTest, AnAnswerThatGoesBackIsOfAnother) {
  history_.TakeWatched(Put("w3", 9));
  EXPECT_EQ(history_.seen(), 9);
  // Sent before that was heard.
  history_.TakeAnswer({.revision = 8, .newest = {}}, 7);
  EXPECT_TRUE(history_.TakeWatched(Put("w3", 10)));
  history_.TakeAnswer({.revision = 9, .newest = {}}, 10);
  EXPECT_FALSE(history_.TakeWatched(Put("w3", 11)));
}

// After a compaction. Of what came later than the records nothing is to be found in them.
TEST_F(EtcdHistoryTest, RecordsOlderThanWhatAnswersHaveShownAreOfAnother) {
  const EtcdHistory::Question question = history_.Ask();
  history_.TakeAnswer(Wrote("w3", 12), 0);
  EXPECT_FALSE(history_.Contradict({Kv("w3", 5)}, Header(11), question));
  EXPECT_FALSE(history_.Contradict({Kv("w3", 12)}, Header(12), question));
  EXPECT_FALSE(history_.Contradict({Kv("w4", 5)}, Header(12), question));
  EXPECT_TRUE(history_.Contradict({Kv("w3", 5)}, Header(12), question));
  EXPECT_TRUE(history_.Contradict({Kv("w3", 12, "another value")}, Header(12), question));
  EXPECT_FALSE(history_.Contradict({Kv("w3", 13, "another value")}, Header(13), question));
  EXPECT_TRUE(history_.Contradict({}, Header(6), question));
  EXPECT_TRUE(history_.Contradict({}, Header(12, 15), question));
  EXPECT_FALSE(history_.Contradict({}, Header(1, 15), EtcdHistory::Question()));
}

// An answer may show it while the records are on their way.
TEST_F(EtcdHistoryTest, WhatWasFoundOutWhileRecordsWereReadHolds) {
  history_.TakeAnswer({.revision = 6, .newest = {}}, 7);
  history_.TakeRecords(Header(30), {}, false);
  EXPECT_FALSE(history_.TakeWatched(Created(Header(30))));
}

// A lease may end with more keys than are remembered.
TEST_F(EtcdHistoryTest, ARevisionMayHaveMoreKeysThanAreRemembered) {
  WatchResponse many = Watched(Header(8));
  for (size_t i = 0; i < 2 * EtcdHistory::kMostTold; ++i) {
    *many.add_events()->mutable_kv() = Kv("w" + std::to_string(i), 8);
  }
  EXPECT_TRUE(history_.TakeWatched(many));
  history_.TakeAnswer(Wrote("w1", 8), 8);
  EXPECT_TRUE(history_.TakeWatched(many));
  EXPECT_TRUE(history_.TakeWatched(Put("w1", 9)));
}

// As by a member that was itself restored from its leader's snapshot.
TEST_F(EtcdHistoryTest, WhatIsToldFromLongAgoIsNoOthers) {
  EXPECT_TRUE(history_.TakeWatched(Put("w3", 8)));
  EXPECT_TRUE(history_.TakeWatched(Put("w1", 2)));
  EXPECT_TRUE(history_.TakeWatched(Put("w2", 3)));
  EXPECT_EQ(history_.Ask().last.key, "w3");
}

TEST_F(EtcdHistoryTest, AWatchThatIsRefusedSaysNothing) {
  WatchResponse refused = Created(Header(7));
  refused.set_canceled(true);
  EXPECT_TRUE(history_.TakeWatched(refused));
  WatchResponse canceled = Watched(Header(0));
  canceled.set_canceled(true);
  EXPECT_TRUE(history_.TakeWatched(canceled));
  EXPECT_EQ(history_.WatchFrom(), 7);
}

// Asked before etcd was restored, and answered by the etcd that came after.
TEST_F(EtcdHistoryTest, AWatchThatBeginsTooEarlyOrElsewhereIsToEnd) {
  EXPECT_TRUE(history_.TakeWatched(Created(Header(7))));
  EXPECT_FALSE(history_.TakeWatched(Created(Header(6))));
  EXPECT_FALSE(history_.TakeWatched(Created(Header(7, 15))));
  // etcd's proxy makes some up.
  EXPECT_TRUE(history_.TakeWatched(Created(Header(0, 0))));
  WatchResponse nameless = Put("w3", 8);
  *nameless.mutable_header() = Header(8, 0);
  EXPECT_TRUE(history_.TakeWatched(nameless));
  // It may have been a member that lags.
  EXPECT_EQ(Now(Range(Header(8), {Kv("w3", 8)})), Verdict::kSame);
}

TEST_F(EtcdHistoryTest, ACompactionIsKnownUntilAllIsReadAnew) {
  WatchResponse compacted = Watched(Header(90));
  compacted.set_canceled(true);
  compacted.set_compact_revision(80);
  EXPECT_TRUE(history_.TakeWatched(compacted));
  EXPECT_TRUE(history_.compacted());
  history_.TakeRecords(Header(91), {}, false);
  EXPECT_FALSE(history_.compacted());
  EXPECT_EQ(history_.WatchFrom(), 91);
}

// A transaction as batches are: one for each thing, with a condition.
class EtcdAnswerTest : public ::testing::Test {
 protected:
  EtcdAnswerTest() {
    *response_.mutable_header() = Header(9);
    response_.set_succeeded(true);
  }
  TxnRequest* Thing(bool succeeded) {
    thing_ = response_.add_responses()->mutable_response_txn();
    thing_->set_succeeded(succeeded);
    return request_.add_success()->mutable_request_txn();
  }
  void AddPut(const std::string& key) {
    auto* const put = Thing(true)->add_success()->mutable_request_put();
    put->set_key(key);
    put->set_value("v");
    thing_->add_responses()->mutable_response_put();
  }
  // A thing whose condition did not hold.
  void AddRefusal(const std::string& key, const std::vector<KeyValue>& read) {
    TxnRequest* const thing = Thing(false);
    thing->add_success()->mutable_request_put()->set_key(key);
    thing->add_failure()->mutable_request_range()->set_key(key);
    *thing_->add_responses()->mutable_response_range() = Range({}, read);
  }
  void AddDeletion(const std::string& key, const std::string& end, int deleted) {
    auto* const range = Thing(true)->add_success()->mutable_request_delete_range();
    range->set_key(key);
    range->set_range_end(end);
    thing_->add_responses()->mutable_response_delete_range()->set_deleted(deleted);
  }
  EtcdHistory::Change Newest() const {
    return EtcdHistory::AnswerOf(request_, response_, kWatched).newest;
  }

  TxnRequest request_;
  TxnResponse response_;
  TxnResponse* thing_ = nullptr;
};

TEST_F(EtcdAnswerTest, WhatIsWrittenIsNewest) {
  AddRefusal("w1", {Kv("w1", 8)});
  AddPut("a side, which is not watched");
  AddPut("w2");
  AddPut("w3");
  EXPECT_EQ(Newest(), Wrote("w2", 9).newest);
  EXPECT_EQ(EtcdHistory::AnswerOf(request_, response_, kWatched).revision, 9);
}

TEST_F(EtcdAnswerTest, ElseTheNewestOfWhatIsRead) {
  AddRefusal("w1", {Kv("w1", 4), Kv("w3", 8), Kv("a", 9)});
  AddRefusal("w2", {Kv("w2", 5)});
  EXPECT_EQ(Newest(), Wrote("w3", 8).newest);
}

TEST_F(EtcdAnswerTest, ADeletionIsAChangeIfThereWasSomething) {
  AddDeletion("w1", "", 0);
  AddDeletion("w2", "w3", 2);  // which of them is not said
  EXPECT_EQ(Newest().key, "");
  AddDeletion("w4", "", 1);
  EXPECT_EQ(Newest(), (EtcdHistory::Change{.key = "w4", .revision = 9}));
}

// What a hostile etcd may answer.
TEST_F(EtcdAnswerTest, AnAnswerThatDoesNotFitTheRequestIsNone) {
  AddPut("w1");
  response_.clear_responses();
  EXPECT_EQ(Newest().key, "");
  *response_.add_responses()->mutable_response_range() = Range({}, {Kv("w1", 4)});
  EXPECT_EQ(Newest().key, "");
}

}  // namespace
}  // namespace wormhole::relay
