#include "relay/store/etcd/waiting_calls.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

ChannelKey Key(uint32_t id) { return {"a", id}; }

class WaitingCallsTest : public ::testing::Test {
 protected:
  Store::Done<PutOutcome> Note(const std::string& name) {
    return [this, name](const absl::StatusOr<PutOutcome>& outcome) {
      failed_.push_back(name + " " + std::string(outcome.status().message()));
    };
  }
  // A call that erases the channel, or with `expected` 0 one that creates it.
  void Add(uint32_t id, const std::string& name, absl::Duration since = absl::ZeroDuration()) {
    calls_.Add(Key(id), {.what = EraseCall{.expected = 1, .done = Note(name)}, .since = since});
  }
  void AddCreation(uint32_t id, const std::string& name) {
    calls_.Add(Key(id),
               {.what = PutCall{.expected = 0, .record = {}, .options = {}, .done = Note(name)}});
  }
  // Takes one call of each channel that is offered, but of `passed_over`, up to `limit`.
  std::vector<uint32_t> Take(size_t limit = 100, uint32_t passed_over = 0) {
    std::vector<uint32_t> ids;
    calls_.Offer([&](const ChannelKey& key, const EtcdCalls&, size_t& taken) {
      if (ids.size() == limit) return WaitingCalls::Offered::kEnd;
      if (key.id == passed_over) return WaitingCalls::Offered::kWaits;
      ids.push_back(key.id);
      taken = taken_;
      return WaitingCalls::Offered::kGoes;
    });
    return ids;
  }
  void Answer(uint32_t id) { calls_.Of(Key(id)).pop_front(); }
  void GiveAnswers() {
    for (const auto& answer : answers_) answer();
    answers_.clear();
  }

  size_t taken_ = 1;  // of each channel
  WaitingCalls calls_;
  EtcdAnswers answers_;
  std::vector<std::string> failed_;
  const absl::Status away_ = absl::UnavailableError("away");
};

TEST_F(WaitingCallsTest, ChannelsAreServedInTurn) {
  for (uint32_t id : {1, 2, 3}) Add(id, "first");
  Add(1, "second");
  EXPECT_THAT(Take(2), ElementsAre(1u, 2u));
  EXPECT_TRUE(calls_.IsWithEtcd(Key(1)));
  EXPECT_FALSE(calls_.IsWithEtcd(Key(3)));
  EXPECT_THAT(Take(), ElementsAre(3u)) << "a channel goes once at a time";
  for (uint32_t id : {1, 2, 3}) {
    Answer(id);
    calls_.Return(Key(id));
  }
  EXPECT_FALSE(calls_.Has(Key(2)));
  EXPECT_TRUE(calls_.Has(Key(1)));
  Add(2, "third");
  EXPECT_THAT(Take(), ElementsAre(1u, 2u));
}

TEST_F(WaitingCallsTest, OneThatIsPassedOverKeepsItsPlace) {
  for (uint32_t id : {1, 2, 3}) Add(id, "call");
  EXPECT_THAT(Take(100, /*passed_over=*/1), ElementsAre(2u, 3u));
  calls_.Return(Key(2));
  EXPECT_THAT(Take(), ElementsAre(1u, 2u));
}

// Its state is read before its calls can be planned.
TEST_F(WaitingCallsTest, AChannelMayGoWithoutItsCalls) {
  Add(1, "call", absl::Seconds(-9));
  taken_ = 0;
  EXPECT_THAT(Take(), ElementsAre(1u));
  EXPECT_TRUE(calls_.IsWithEtcd(Key(1)));
  EXPECT_THAT(Take(), IsEmpty());
  calls_.FailOverdue(absl::ZeroDuration(), absl::Seconds(5), absl::Seconds(1), away_, answers_);
  GiveAnswers();
  EXPECT_THAT(failed_, ElementsAre("call away")) << "it is not with etcd itself";
  Add(1, "next");
  calls_.Return(Key(1));
  EXPECT_THAT(Take(), ElementsAre(1u));
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(WaitingCallsTest, OneThatIsToGoByItselfGoesFirst) {
  for (uint32_t id : {1, 2}) Add(id, "call");
  EXPECT_THAT(Take(1), ElementsAre(1u));
  calls_.Return(Key(1), /*first=*/true);
  EXPECT_THAT(Take(), ElementsAre(1u, 2u));
}

TEST_F(WaitingCallsTest, WhatHasWaitedTooLongFails) {
  AddCreation(1, "creation");
  Add(1, "old");
  Add(1, "young", absl::Seconds(1));
  Add(2, "with etcd");
  Add(2, "behind");
  EXPECT_THAT(Take(100, /*passed_over=*/1), ElementsAre(2u));
  const auto fail = [this](absl::Duration now) {
    calls_.FailOverdue(now, absl::Seconds(5), absl::Seconds(1), away_, answers_);
    GiveAnswers();
  };
  fail(absl::Seconds(1));
  EXPECT_THAT(failed_, ElementsAre("creation away"));
  fail(absl::Seconds(5));
  EXPECT_THAT(failed_, UnorderedElementsAre("creation away", "old away", "behind away"));
  EXPECT_THAT(Take(), ElementsAre(1u)) << "the young one is left";
}

TEST_F(WaitingCallsTest, AChannelWhoseCallsHaveFailedIsNotOffered) {
  Add(1, "call");
  Add(2, "call");
  calls_.FailChannel(Key(1), away_, answers_);
  calls_.FailChannel(Key(3), away_, answers_);
  GiveAnswers();
  EXPECT_THAT(failed_, ElementsAre("call away"));
  EXPECT_THAT(Take(), ElementsAre(2u));
  EXPECT_FALSE(calls_.Has(Key(1)));
}

TEST_F(WaitingCallsTest, SidesHaveAQueueOfTheirOwn) {
  const auto add = [this](const std::string& key) {
    calls_.AddSide({.key = key, .done = [this, key](const auto& id) {
                      failed_.push_back(key + " " + std::string(id.status().message()));
                    }});
  };
  for (const char* key : {"one", "two", "three"}) add(key);
  EXPECT_EQ(calls_.TakeSide()->key, "one");
  calls_.FailOverdue(absl::Seconds(5), absl::Seconds(5), absl::Seconds(1), away_, answers_);
  GiveAnswers();
  EXPECT_THAT(failed_, ElementsAre("two away", "three away"));
  EXPECT_FALSE(calls_.TakeSide().has_value());
}

TEST_F(WaitingCallsTest, AllFailAtTheEnd) {
  Add(1, "call");
  calls_.AddSide({.key = "side", .done = [this](const auto&) { failed_.push_back("side"); }});
  calls_.FailAll(away_, answers_);
  GiveAnswers();
  EXPECT_THAT(failed_, ElementsAre("call away", "side"));
  EXPECT_THAT(Take(), IsEmpty());
}

}  // namespace
}  // namespace wormhole::relay
