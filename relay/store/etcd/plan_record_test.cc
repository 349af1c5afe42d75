// How changes of the record, and of where sides are attached, are planned.
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/store/etcd/testing/plan_harness.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::TxnResponse;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

ChannelRecord Joined() {
  ChannelRecord record = Record();
  record.member(kReceiver).side = "r";
  return record;
}

ChannelRecord LeftBy(Role role) {
  ChannelRecord record = Joined();
  record.member(role).left = true;
  return record;
}

// What a transaction reads when it is refused, or reads back: the record as it is, and nothing
// else.
TxnResponse Refusal(const ChannelRecord& record, int64_t revision) {
  TxnResponse refused;
  etcdserverpb::KeyValue* const kv = refused.add_responses()->mutable_response_range()->add_kvs();
  kv->set_key(kKeys.Record(kKey));
  kv->set_mod_revision(revision);
  kv->set_value(WriteRecord(record, "other"));
  refused.add_responses()->mutable_response_range();
  return refused;
}

TEST_F(PlanTest, ANewChannelBringsItsSideAlong) {
  Put(0, Record(), {.attached = RoleSet(kInitiator)});
  const auto txn = Plan(nullptr);
  EXPECT_THAT(Keys(txn->request().success()),
              ElementsAre("delete w/v1/st/a%2Fb/7/", "delete w/v1/fr/a%2Fb/7/",
                          "put w/v1/ch/a%2Fb/7", "put w/v1/by/a%2Fb/69", "put w/v1/st/a%2Fb/7/pi"));
  EXPECT_EQ(txn->request().success(0).request_delete_range().range_end(), "w/v1/st/a%2Fb/7/p");
  EXPECT_EQ(txn->request().success(4).request_put().lease(), 5);
  EXPECT_EQ(txn->attached(), RoleSet(kInitiator));
  ChannelState state;
  Finish(*txn, Success(), state);
  EXPECT_EQ(state.presence(kInitiator).value, "me");
  EXPECT_THAT(put_, ElementsAre(PutOutcome::kDone));
}

TEST_F(PlanTest, AClaimThatIsRefusedBringsNobodyAlong) {
  ChannelState state = Image(0, 0);
  Put(1, Joined(), {.attached = RoleSet(kReceiver)});
  const auto txn = Plan(&state);
  ChannelRecord other = Joined();
  other.version = 2;
  other.member(kReceiver).side = "s";
  Finish(*txn, Refusal(other, 15), state);
  EXPECT_THAT(put_, ElementsAre(PutOutcome::kStale));
  EXPECT_TRUE(txn->attached().empty());
  EXPECT_EQ(state.version(), 2u);
}

TEST_F(PlanTest, ALookShowsWhatWasThereWhenTheRecordWasPut) {
  ChannelState state = Image(0, 0);
  Put(1, Joined(), {.attached = RoleSet(kReceiver), .read_back = true});
  const auto txn = Plan(&state);
  EXPECT_THAT(Keys(txn->request().success()),
              ElementsAre("put w/v1/ch/a%2Fb/7", "put w/v1/by/a%2Fb/72", "put w/v1/st/a%2Fb/7/pr",
                          "read w/v1/st/a%2Fb/7/"));
  TxnResponse seen = Success();
  for (int i = 0; i < 3; ++i) seen.add_responses();
  etcdserverpb::KeyValue* const log = seen.add_responses()->mutable_response_range()->add_kvs();
  log->set_key(kKeys.Log(kKey, kInitiator));
  log->set_mod_revision(12);
  log->set_value(WriteLog({.stored = 1, .last = {{.size = 3, .frame = "one"}}}, "other"));
  Finish(*txn, seen, state);
  EXPECT_EQ(state.version(), 2u);
  EXPECT_EQ(state.LogOf(kInitiator), (LogState{.stored = 1, .bytes = 3}));
}

TEST_F(PlanTest, AGoodbyeJoinsWhatWasAcceptedBefore) {
  ChannelState state = Image(2, 0);
  state.record.Take(11, Joined());
  Accept(1);
  Put(1, LeftBy(kReceiver), {.accepted = {2, 0}});
  const auto txn = Plan(&state);
  EXPECT_EQ(txn->taken(), 2u);
  EXPECT_THAT(Keys(txn->request().success()),
              ElementsAre("put w/v1/st/a%2Fb/7/ci", "delete w/v1/fr/a%2Fb/7/i/00000000000000000001",
                          "put w/v1/ch/a%2Fb/7"));
  Finish(*txn, Success(), state);
  EXPECT_EQ(state.LogOf(kInitiator).accepted, 2u);
  EXPECT_THAT(put_, ElementsAre(PutOutcome::kDone));
}

// Of two sides that leave at once one is refused. Nothing has come of what it had accepted yet.
TEST_F(PlanTest, AGoodbyeThatIsRefusedIsAnsweredAtOnce) {
  ChannelState state = Image(2, 0);
  state.record.Take(11, Joined());
  Accept(2);
  Put(1, LeftBy(kReceiver));
  ChannelRecord now = LeftBy(kInitiator);
  now.version = 2;
  Finish(*Plan(&state), Refusal(now, 15), state);
  EXPECT_THAT(put_, ElementsAre(PutOutcome::kStale));
  EXPECT_THAT(accepted_, IsEmpty());
  EXPECT_EQ(calls_.size(), 1u);
  EXPECT_EQ(Plan(&state)->taken(), 1u);
}

TEST_F(PlanTest, WhatWasAcceptedOfAnEndedChannelIsNotWritten) {
  ChannelState state = Image(2, 0);
  Accept(2);
  ChannelRecord ended = Record();
  ended.life = Life::kClosed;
  Put(1, ended);
  const auto txn = Plan(&state);
  EXPECT_EQ(txn->taken(), 2u);
  EXPECT_THAT(
      Keys(txn->request().success()),
      ElementsAre("delete w/v1/st/a%2Fb/7/", "delete w/v1/fr/a%2Fb/7/", "put w/v1/ch/a%2Fb/7"));
  Finish(*txn, Success(), state);
  EXPECT_EQ(accepted_.at(0).accepted, 2u);
}

// Whether it is refused for its side or for what came before would not be known.
TEST_F(PlanTest, AClaimGoesAlone) {
  const ChannelState state = Image(2, 0);
  Accept(2);
  Put(1, Joined());
  EXPECT_EQ(Plan(&state)->taken(), 1u);
}

TEST_F(PlanTest, AChannelThatEndsBeforeItsTimeKeepsItsLease) {
  const ChannelState state = Image(0, 0);
  ChannelRecord ended = Record();
  ended.life = Life::kClosed;
  const auto plan = [&](int64_t due_at) {
    ended.due_at = absl::FromUnixSeconds(due_at);
    calls_.clear();
    calls_.push_back({.what = PutCall{.expected = 1, .record = ended, .done = [](auto) {}}});
    return Keys(Plan(&state)->request().success());
  };
  EXPECT_THAT(plan(99), ElementsAre("delete w/v1/st/a%2Fb/7/", "delete w/v1/fr/a%2Fb/7/",
                                    "put w/v1/ch/a%2Fb/7"));
  EXPECT_EQ(lease_for_, Record().due_at);
  EXPECT_THAT(plan(101), ElementsAre("delete w/v1/st/a%2Fb/7/", "delete w/v1/fr/a%2Fb/7/",
                                     "put w/v1/ch/a%2Fb/7", "put w/v1/by/a%2Fb/69"));
  EXPECT_EQ(lease_for_, ended.due_at);
}

TEST_F(PlanTest, AnUnknownChannelIsReadFirstUnlessItIsNew) {
  Append(1, "one");
  EXPECT_EQ(Plan(nullptr)->taken(), 0u);
  calls_.clear();
  calls_.push_back({.what = PutCall{.expected = 0, .record = Record(), .done = [](auto) {}}});
  const auto txn = Plan(nullptr);
  EXPECT_EQ(txn->taken(), 1u);
  EXPECT_THAT(Keys(txn->request().success()),
              ElementsAre("delete w/v1/st/a%2Fb/7/", "delete w/v1/fr/a%2Fb/7/",
                          "put w/v1/ch/a%2Fb/7", "put w/v1/by/a%2Fb/69"));
  EXPECT_THAT(txn->side_keys(), ElementsAre("w/v1/by/a%2Fb/69"));
}

TEST_F(PlanTest, OnlyOnesOwnPresenceIsTakenBack) {
  ChannelState state = Image(0, 0);
  state.presence(kReceiver).Take(11, "another relay");
  calls_.push_back({.what = PresenceCall{.role = kReceiver, .attached = false}});
  EXPECT_THAT(Keys(Plan(&state)->request().success()), IsEmpty());
  state.presence(kReceiver).Take(12, "me");
  const auto txn = Plan(&state);
  EXPECT_THAT(Keys(txn->request().success()), ElementsAre("delete w/v1/st/a%2Fb/7/pr"));
  EXPECT_EQ(txn->request().compare(1).mod_revision(), 12);
}

TEST_F(PlanTest, ALateAttachmentLeavesANewerOneAlone) {
  ChannelState state = Image(0, 0);
  state.presence(kReceiver).Take(11, "another relay");
  calls_.push_back({.what = PresenceCall{.role = kReceiver, .attached = true, .known = 10}});
  calls_.push_back({.what = PresenceCall{.role = kReceiver, .attached = false}});
  EXPECT_THAT(Keys(Plan(&state)->request().success()), IsEmpty());
  calls_.pop_back();
  EXPECT_THAT(Keys(Plan(&state)->request().success()), IsEmpty());
  calls_.clear();
  calls_.push_back({.what = PresenceCall{.role = kReceiver, .attached = true, .known = 11}});
  EXPECT_THAT(Keys(Plan(&state)->request().success()),
              ElementsAre("put w/v1/st/a%2Fb/7/ar", "put w/v1/st/a%2Fb/7/pr"));
  calls_.push_back({.what = PresenceCall{.role = kReceiver, .attached = false}});
  EXPECT_THAT(Keys(Plan(&state)->request().success()), IsEmpty());
}

// It has gone since, but it was newer.
TEST_F(PlanTest, ALateAttachmentSaysNothingWhenANewerOneHasComeAndGone) {
  ChannelState state = Image(0, 0);
  state.arrival(kReceiver).Take(11, "another relay");
  state.presence(kReceiver).Take(12, std::nullopt);
  EXPECT_TRUE(state.SnapshotFor("me")->superseded[kReceiver]);
  EXPECT_FALSE(state.SnapshotFor("me")->remote[kReceiver]);
  EXPECT_FALSE(state.SnapshotFor("another relay")->superseded[kReceiver]);
  const auto keys = [&](PresenceCall call) {
    calls_ = {{.what = std::move(call)}};
    return Keys(Plan(&state)->request().success());
  };
  EXPECT_THAT(keys({.role = kReceiver, .attached = true, .known = 10}), IsEmpty());
  EXPECT_THAT(keys({.role = kReceiver, .attached = true, .renewal = true}), IsEmpty());
  EXPECT_THAT(keys({.role = kReceiver, .attached = true, .known = 12}),
              ElementsAre("put w/v1/st/a%2Fb/7/ar", "put w/v1/st/a%2Fb/7/pr"));
  // One that comes and goes until etcd has it leaves presence as it was.
  const auto txn = Plan(&state);
  ASSERT_EQ(txn->request().compare_size(), 3);
  EXPECT_EQ(txn->request().compare(2).key(), "w/v1/st/a%2Fb/7/ar");
  EXPECT_EQ(txn->request().compare(2).mod_revision(), 11);
}

// Presence goes with its relay; that somebody came stays with the channel.
TEST_F(PlanTest, AnArrivalLastsAsLongAsTheRecord) {
  ChannelState state = Image(0, 0);
  state.lease = 8;
  calls_.push_back({.what = PresenceCall{.role = kReceiver, .attached = true}});
  auto txn = Plan(&state);
  ASSERT_EQ(txn->request().success_size(), 2);
  EXPECT_EQ(txn->request().success(0).request_put().lease(), 8);
  EXPECT_EQ(txn->request().success(1).request_put().lease(), 5);
  Finish(*txn, Success(), state);
  EXPECT_EQ(state.arrival(kReceiver).value, "me");
  EXPECT_EQ(state.arrival(kReceiver).revision, state.presence(kReceiver).revision);
}

TEST_F(PlanTest, ARenewalIsWrittenUnderTheNewLease) {
  ChannelState state = Image(0, 0);
  state.presence(kReceiver).Take(11, "me");
  calls_.push_back({.what = PresenceCall{.role = kReceiver, .attached = true, .renewal = true}});
  EXPECT_THAT(Keys(Plan(&state)->request().success()), ElementsAre("put w/v1/st/a%2Fb/7/pr"));
  state.presence(kReceiver).Take(12, "another relay");
  EXPECT_THAT(Keys(Plan(&state)->request().success()), IsEmpty());
}

}  // namespace
}  // namespace wormhole::relay
