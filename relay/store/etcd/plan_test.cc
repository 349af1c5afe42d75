// How what is done to logs is planned.
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/store/etcd/testing/plan_harness.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::Compare;
using etcdserverpb::TxnResponse;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(PlanTest, AFrameIsWrittenBeforeTheLogThatCountsIt) {
  const ChannelState state = Image(1, 0);
  Append(2, Long('2'));
  Append(3, Long('3'));
  const auto txn = Plan(&state);
  EXPECT_EQ(txn->taken(), 2u);
  EXPECT_THAT(Keys(txn->request().success()),
              ElementsAre("put w/v1/fr/a%2Fb/7/i/00000000000000000002",
                          "put w/v1/fr/a%2Fb/7/i/00000000000000000003", "put w/v1/st/a%2Fb/7/li"));
  ASSERT_EQ(txn->request().compare_size(), 2);
  for (const Compare& compare : txn->request().compare()) {
    EXPECT_EQ(compare.target(), Compare::MOD);
    EXPECT_EQ(compare.mod_revision(), 10);
  }
  EXPECT_THAT(Keys(txn->request().failure()),
              ElementsAre("read w/v1/ch/a%2Fb/7", "read w/v1/st/a%2Fb/7/"));
}

// Another relay may have accepted more meanwhile, and a cursor never goes back.
TEST_F(PlanTest, AnAcceptanceDependsOnTheCursorThatItRaises) {
  const ChannelState state = Image(2, 1);
  Accept(2);
  const auto txn = Plan(&state);
  std::vector<std::string> conditions;
  for (const Compare& compare : txn->request().compare()) {
    EXPECT_EQ(compare.target(), Compare::MOD);
    conditions.push_back(compare.key());
  }
  EXPECT_THAT(conditions, Contains(kKeys.Cursor(kKey, kInitiator)));
}

// An etcd that was restored may have nobody in a member's place, or somebody else, and has come to
// the same version again.
TEST_F(PlanTest, NothingIsAppendedForAnotherReceiver) {
  for (const std::string member : {"", "s", "r"}) {
    ChannelState state = Image(2, 0);
    state.record.value->member(kReceiver).side = member;
    Append(3, "three", "r");
    const auto txn = Plan(&state);
    EXPECT_EQ(txn->request().success_size() == 0, member != "r");
    EXPECT_THAT(txn->request().compare(0).key(), kKeys.Record(kKey)) << "or it is not as it seems";
    Finish(*txn, Success(), state);
  }
  EXPECT_THAT(outcomes_,
              ElementsAre(AppendOutcome::kStale, AppendOutcome::kStale, AppendOutcome::kDone));
}

TEST_F(PlanTest, ARecordTakesNobodysPlace) {
  const auto put = [this](const Member& stored, const char* next, int made_later = 0) {
    ChannelState state = Image(0, 0);
    state.record.value->member(kReceiver) = stored;
    ChannelRecord record = Record();
    record.created_at += absl::Seconds(made_later);
    record.member(kReceiver).side = next;
    Put(1, record);
    Finish(*Plan(&state), Success(), state);
    return put_.back();
  };
  EXPECT_EQ(put({.side = "s"}, "r"), PutOutcome::kStale);
  EXPECT_EQ(put({.side = "s"}, ""), PutOutcome::kStale);
  EXPECT_EQ(put({.side = "s", .left = true}, "s"), PutOutcome::kStale);
  EXPECT_EQ(put({.side = "s"}, "s", 1), PutOutcome::kStale) << "of the channel made anew";
  EXPECT_EQ(put({.side = "s"}, "s"), PutOutcome::kDone);
}

TEST_F(PlanTest, WhatNobodyOfTheChannelHasAcceptedIsNotForgotten) {
  for (const std::string member : {"", "s", "r"}) {
    ChannelState state = Image(2, 0);
    state.record.value->member(kReceiver).side = member;
    Accept(2, "r");
    const auto txn = Plan(&state);
    EXPECT_EQ(txn->request().success_size() == 0, member != "r");
    EXPECT_THAT(txn->request().compare(0).key(), kKeys.Record(kKey)) << "or it is not as it seems";
    Finish(*txn, Success(), state);
  }
  ASSERT_EQ(refused_.size(), 2u);
  for (const absl::Status& why : refused_) EXPECT_TRUE(absl::IsNotFound(why));
  EXPECT_THAT(accepted_, ElementsAre(LogState{.stored = 2, .forgotten = 2, .accepted = 2}));
}

// So that nothing is planned that may not go.
TEST_F(PlanTest, WhetherAPartWritesIsKnownBeforeItIsPlanned) {
  const ChannelState state = Image(2, 1);
  std::string written;
  const auto judge = [&] {
    for (const ChannelState* known : {static_cast<const ChannelState*>(nullptr), &state}) {
      const bool writes = WritesNext(known, calls_.front());
      EXPECT_EQ(Plan(known)->writes(), writes);
      written += writes ? 'w' : 'r';
    }
    calls_.clear();
  };
  Put(0, Record());
  judge();
  Put(1, Record());
  judge();
  Append(2, std::string(2, 'f'));  // stored already, so that it is compared
  judge();
  Append(3, Long('3'));
  judge();
  Accept(2);
  judge();
  calls_.push_back({.what = LoadCall{}});
  judge();
  calls_.push_back({.what = ReadCall{.channel = {kKey, "i"}, .author = kInitiator}});
  judge();
  calls_.push_back({.what = EraseCall{.expected = 1}});
  judge();
  EXPECT_EQ(written,
            "ww"
            "rw"
            "rr"
            "rw"
            "rw"
            "rr"
            "rr"
            "rw");
}

TEST_F(PlanTest, AFrameThatIsAcceptedInTheSamePartIsNotWritten) {
  const ChannelState state = Image(2, 1);
  Append(3, Long('3'));
  Accept(3);
  const auto txn = Plan(&state);
  EXPECT_THAT(Keys(txn->request().success()),
              ElementsAre("put w/v1/st/a%2Fb/7/li", "put w/v1/st/a%2Fb/7/ci",
                          "delete w/v1/fr/a%2Fb/7/i/00000000000000000002"));
  EXPECT_EQ(txn->request().success(2).request_delete_range().range_end(),
            kKeys.Frame(kKey, kInitiator, 3) + '\0');
}

TEST_F(PlanTest, ShortFramesAreKeptInTheirLog) {
  ChannelState state = Image(0, 0);
  Append(1, "one");
  Append(2, Long('2'));
  Append(3, "three");
  const auto txn = Plan(&state);
  EXPECT_THAT(Keys(txn->request().success()),
              ElementsAre("put w/v1/fr/a%2Fb/7/i/00000000000000000002", "put w/v1/st/a%2Fb/7/li"));
  Finish(*txn, Success(), state);
  EXPECT_EQ(state.FramesInLog(kInitiator, 0, 100).size(), 1u);
  EXPECT_THAT(state.FramesInLog(kInitiator, 1, 100), IsEmpty());
  EXPECT_EQ(state.FramesInLog(kInitiator, 2, 0).at(0).frame, "three");
  // They have no keys that would have to be deleted when they are accepted.
  Accept(1);
  EXPECT_THAT(Keys(Plan(&state)->request().success()), ElementsAre("put w/v1/st/a%2Fb/7/ci"));
  Accept(3);
  EXPECT_THAT(
      Keys(Plan(&state)->request().success()),
      ElementsAre("put w/v1/st/a%2Fb/7/ci", "delete w/v1/fr/a%2Fb/7/i/00000000000000000001"));
}

TEST_F(PlanTest, ALogKeepsOnlySoManyBytes) {
  ChannelState state = Image(0, 0);
  const std::string half(kMaxBytesInLog / 2, 'h');
  for (uint64_t n = 1; n <= 3; ++n) Append(n, half);
  const auto txn = Plan(&state);
  EXPECT_THAT(Keys(txn->request().success()),
              ElementsAre("put w/v1/fr/a%2Fb/7/i/00000000000000000003", "put w/v1/st/a%2Fb/7/li"));
  Finish(*txn, Success(), state);
  // What is accepted counts no more, and is gone when the log is written again.
  state.cursor(kInitiator).Take(21, 2);
  Append(4, half);
  const auto next = Plan(&state);
  EXPECT_THAT(Keys(next->request().success()), ElementsAre("put w/v1/st/a%2Fb/7/li"));
  Finish(*next, Success(), state);
  EXPECT_EQ(state.log(kInitiator).value->last.size(), 2u);
}

// The reader's relay has not heard of all frames that were accepted elsewhere.
TEST_F(PlanTest, FramesThatAreNotKnownAreDeletedToo) {
  const ChannelState state = Image(0, 0);
  Accept(2);
  EXPECT_THAT(
      Keys(Plan(&state)->request().success()),
      ElementsAre("put w/v1/st/a%2Fb/7/ci", "delete w/v1/fr/a%2Fb/7/i/00000000000000000001"));
}

TEST_F(PlanTest, AnswersAreOfTheirOwnMoment) {
  ChannelState state = Image(0, 0);
  Append(1, "1");
  Append(2, "22");
  Accept(1);
  const auto txn = Plan(&state);
  Finish(*txn, Success(), state);
  EXPECT_THAT(appended_,
              ElementsAre(LogState{.stored = 1, .forgotten = 1, .accepted = 1},
                          LogState{.stored = 2, .forgotten = 1, .accepted = 1, .bytes = 2}));
  EXPECT_THAT(accepted_,
              ElementsAre(LogState{.stored = 2, .forgotten = 1, .accepted = 1, .bytes = 2}));
  EXPECT_THAT(calls_, IsEmpty());
}

// A listener has been told of cursor 3; an answer with cursor 2 and one frame more would be behind
// and ahead at once.
TEST_F(PlanTest, AnAnswerDoesNotFallBehindTheWatch) {
  ChannelState state = Image(4, 2);
  Append(5, "55555");
  const auto txn = Plan(&state);
  state.cursor(kInitiator).Take(15, 3);
  Finish(*txn, Success(), state);
  EXPECT_THAT(appended_,
              ElementsAre(LogState{.stored = 5, .forgotten = 3, .accepted = 3, .bytes = 4 + 5}));
}

TEST_F(PlanTest, AnImageThatWasLetGoComesBackWhole) {
  const ChannelState state = Image(4, 2);
  Append(5, "55555");
  const auto txn = Plan(&state);
  ChannelState none;
  Finish(*txn, Success(), none);
  EXPECT_EQ(none.version(), 1u);
  EXPECT_EQ(none.LogOf(kInitiator),
            (LogState{.stored = 5, .forgotten = 2, .accepted = 2, .bytes = 3 + 4 + 5}));
}

// As after etcd was restored from an older copy: no read is newer than what is known.
TEST_F(PlanTest, WhatIsNeverSoIsLetGoAtLast) {
  ChannelState state = Image(1, 0);
  state.log(kInitiator).Take(100, EtcdLog{.stored = 2});
  absl::Status status;
  calls_.push_back(
      {.what = AppendCall{.channel = {kKey, "i"},
                          .version = 1,
                          .author = kInitiator,
                          .number = 3,
                          .frame = "three",
                          .done = [&status](const absl::StatusOr<AppendResult>& result) {
                            status = result.status();
                          }}});
  TxnResponse refused;
  etcdserverpb::KeyValue* const record =
      refused.add_responses()->mutable_response_range()->add_kvs();
  record->set_key(kKeys.Record(kKey));
  record->set_mod_revision(10);
  record->set_value(WriteRecord(Record(), "me"));
  refused.add_responses()->mutable_response_range();
  for (int i = 0; i < 100 && !calls_.empty(); ++i) Finish(*Plan(&state), refused, state);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_TRUE(state.empty());
}

// A call that never fails goes through then.
TEST_F(PlanTest, APresenceThatIsNeverSoIsLookedAtAnew) {
  ChannelState state = Image(0, 0);
  state.presence(kReceiver).Take(1'000'000, "me");
  calls_.push_back({.what = PresenceCall{.role = kReceiver, .attached = true}});
  TxnResponse refused;
  etcdserverpb::KeyValue* const record =
      refused.add_responses()->mutable_response_range()->add_kvs();
  record->set_key(kKeys.Record(kKey));
  record->set_mod_revision(10);
  record->set_value(WriteRecord(Record(), "me"));
  refused.add_responses()->mutable_response_range();
  for (int i = 0; i < 100 && state.presence(kReceiver).value; ++i) {
    Finish(*Plan(&state), refused, state);
  }
  EXPECT_TRUE(state.empty());
  EXPECT_EQ(calls_.size(), 1u);
  Finish(*Plan(&state), refused, state);
  Finish(*Plan(&state), Success(), state);
  EXPECT_EQ(state.presence(kReceiver).value, "me");
  EXPECT_THAT(calls_, IsEmpty());
}

TEST_F(PlanTest, WhatHasChangedIsPlannedAgain) {
  ChannelState state = Image(1, 0);
  Append(2, "two");
  const auto txn = Plan(&state);
  TxnResponse refused;
  etcdserverpb::KeyValue* const record =
      refused.add_responses()->mutable_response_range()->add_kvs();
  record->set_key(kKeys.Record(kKey));
  record->set_mod_revision(10);
  record->set_value(WriteRecord(Record(), "other"));
  etcdserverpb::KeyValue* const log = refused.add_responses()->mutable_response_range()->add_kvs();
  log->set_key(kKeys.Log(kKey, kInitiator));
  log->set_mod_revision(12);
  log->set_value(WriteLog({.stored = 2, .last = {{.size = 1}, {.size = 3}}}, "other"));
  Finish(*txn, refused, state);
  EXPECT_EQ(calls_.size(), 1u);
  EXPECT_EQ(state.LogOf(kInitiator).stored, 2u);
  // Now it is a comparison.
  EXPECT_THAT(Keys(Plan(&state)->request().success()),
              ElementsAre("read w/v1/ch/a%2Fb/7", "read w/v1/st/a%2Fb/7/",
                          "read w/v1/fr/a%2Fb/7/i/00000000000000000002"));
}

// Its sides stay under the lease that they have.
TEST_F(PlanTest, NothingIsWrittenWithoutALease) {
  lease_ = 0;
  const ChannelState state = Image(0, 0);
  Append(1, "one");
  EXPECT_EQ(Plan(&state), nullptr);
  EXPECT_EQ(missing_lease_, Record().due_at);
}

// The batch hung while the client went to another relay, and there its stream is.
// Its lease is gone, or another one that etcd has spoken of.
TEST_F(PlanTest, AReadAsksForWhatItMayHave) {
  ChannelState state = Image(9, 2);  // frame n has n bytes
  calls_.push_back(
      {.what = ReadCall{
           .channel = kKey, .author = kInitiator, .after = 0, .max_bytes = 12, .done = [](auto) {
           }}});
  const auto txn = Plan(&state);
  EXPECT_EQ(txn->request().success(2).request_range().limit(), 3);  // 3, 4 and 5
  EXPECT_GT(txn->bytes(), 12u);
}

}  // namespace
}  // namespace wormhole::relay
