// Two relays over one etcd: what each does is the other's to hear, and never in its way.
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/etcd_relay.h"
#include "tests/store/start_store.h"
#include "tests/support/etcd_server.h"

namespace wormhole::relay {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;
using ::wormhole::testing::EtcdCluster;

constexpr Role kInitiator = Role::kInitiator;
constexpr Role kReceiver = Role::kReceiver;

class EtcdGroupTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { cluster_ = new EtcdCluster; }
  static void TearDownTestSuite() { delete cluster_; }

  std::unique_ptr<EtcdRelay> Relay(const std::string& name) {
    // Calls wait for an etcd that stands still; a relay that does so loses its lease after a while,
    // which some of these tests wait for.
    return std::make_unique<EtcdRelay>(
        name, EtcdOptions{.servers = {.endpoints = {cluster_->endpoint(0)}},
                          .prefix = prefix_,
                          .patience = absl::InfiniteDuration(),
                          .creation_patience = absl::InfiniteDuration(),
                          .presence_ttl = absl::Seconds(5)});
  }
  // A channel that both relays deal with.
  void Open() {
    one_->Call().Put(key_, 0, Record("i", "r"));
    two_->Call().Load(key_);
  }

  static EtcdCluster* cluster_;
  const std::string prefix_ =
      std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) + "/";
  const ChannelKey key_ = {"example.com/app1", 7};
  const std::unique_ptr<EtcdRelay> one_ = Relay("one");
  std::unique_ptr<EtcdRelay> two_ = Relay("two");
};

EtcdCluster* EtcdGroupTest::cluster_ = nullptr;

TEST_F(EtcdGroupTest, ChannelsAreHeardOf) {
  one_->Call().Put(key_, 0, Record("i"));
  two_->listener().Await("taken 7");
  two_->listener().Await("changed 7 known");
  one_->Call().Put(key_, 1, Closed(Record("i")));
  two_->listener().Await("resting 7");
  one_->Call().Erase(key_, 2);
  two_->listener().Await("free 7");
  EXPECT_EQ(two_->Call().Put(key_, 0, Record("j")), PutOutcome::kDone);
  EXPECT_THAT(one_->listener().notes(), Not(Contains("resting 7")));  // its own doing
}

TEST_F(EtcdGroupTest, TellsOfItsBatches) {
  std::atomic<size_t> operations = 0;
  {
    EtcdRelay relay("noting", {.servers = {.endpoints = {cluster_->endpoint(0)}},
                               .prefix = prefix_,
                               .on_commit = [&operations](absl::Duration took, size_t count) {
                                 EXPECT_GT(took, absl::ZeroDuration());
                                 operations += count;
                               }});
    relay.Call().Put(key_, 0, Record("i"));
    relay.Call().Append(key_, 1, kInitiator, 1, "frame");
  }
  EXPECT_EQ(operations, 2u);
}

TEST_F(EtcdGroupTest, WhoComesLaterFindsAllChannels) {
  for (uint32_t id = 1; id <= 5; ++id) {
    one_->Call().Put({"a", id}, 0, Record("i" + std::to_string(id)));
  }
  one_->Call().Put({"a", 5}, 1, Closed(Record("i5")));
  const auto three = Relay("three");
  std::vector<std::string> seen;
  ASSERT_TRUE(StartStore(three->store(), [&seen](const ChannelKey& key, IdState state) {
                seen.push_back(std::to_string(key.id) +
                               (state == IdState::kResting ? " rests" : ""));
              }).ok());
  EXPECT_THAT(seen, UnorderedElementsAre("1", "2", "3", "4", "5 rests"));
}

TEST_F(EtcdGroupTest, FramesAndAcknowledgementsAreHeardOf) {
  Open();
  one_->Call().Append(key_, 1, kInitiator, 1, "one");
  two_->listener().Await("log 7 i stored 1 accepted 0 frame 1 one");
  EXPECT_TRUE(two_->Call().Accept(key_, kInitiator, 1).ok());
  one_->listener().Await("log 7 i stored 1 accepted 1");
  two_->Call().Append(key_, 1, kReceiver, 1, "uno");
  one_->listener().Await("log 7 r stored 1 accepted 0 frame 1 uno");
  EXPECT_THAT(one_->Call().Read(key_, kReceiver), ElementsAre(Frame(1u, "uno")));
  EXPECT_THAT(one_->Call().Read(key_, kInitiator), IsEmpty());
}

TEST_F(EtcdGroupTest, OneIdHasOneChannelAndOneSideOneId) {
  EXPECT_EQ(one_->Call().Put(key_, 0, Record("i")), PutOutcome::kDone);
  EXPECT_EQ(two_->Call().Put(key_, 0, Record("j")), PutOutcome::kStale);
  EXPECT_EQ(two_->Call().Put({key_.app_id, 8}, 0, Record("i")), PutOutcome::kSideTaken);
  EXPECT_EQ(two_->Call().FindSide(key_.app_id, Side("i")), 7u);
  EXPECT_EQ(two_->Call().Put({"another", 8}, 0, Record("i")), PutOutcome::kDone);
}

TEST_F(EtcdGroupTest, AChangeElsewhereIsFoundOutAndNotWrittenOver) {
  Open();
  EXPECT_EQ(one_->Call().Put(key_, 1, Closed(Record("i", "r"))), PutOutcome::kDone);
  EXPECT_EQ(two_->Call().Put(key_, 1, Record("i", "r")), PutOutcome::kStale);
  EXPECT_EQ(two_->Call().Append(key_, 1, kReceiver, 1, "x").outcome, AppendOutcome::kStale);
  EXPECT_EQ(two_->Call().Erase(key_, 1), PutOutcome::kStale);
}

TEST_F(EtcdGroupTest, AnAuthorMayGoOnAtAnotherRelay) {
  Open();
  one_->Call().Append(key_, 1, kInitiator, 1, "one");
  two_->listener().Await("log 7 i stored 1 accepted 0 frame 1 one");
  EXPECT_EQ(two_->Call().Append(key_, 1, kInitiator, 1, "one").outcome, AppendOutcome::kDone);
  EXPECT_EQ(two_->Call().Append(key_, 1, kInitiator, 1, "uno").outcome, AppendOutcome::kConflict);
  EXPECT_THAT(two_->Call().Append(key_, 1, kInitiator, 2, "two"),
              Appended(AppendOutcome::kDone, LogState{.stored = 2, .bytes = 6}));
  // The first relay has not heard of that perhaps, and still is not fooled.
  EXPECT_EQ(one_->Call().Append(key_, 1, kInitiator, 2, "dos").outcome, AppendOutcome::kConflict);
  EXPECT_THAT(one_->Call().Append(key_, 1, kInitiator, 3, "three"),
              Appended(AppendOutcome::kDone, LogState{.stored = 3, .bytes = 11}));
}

// What a relay that has not heard of the end says of a channel does not concern the next one.
TEST_F(EtcdGroupTest, AnIdThatIsUsedAgainIsAnotherChannel) {
  Open();
  const ChannelRef old(key_, Side("i"));
  one_->Call().Put(key_, 1, Closed(Record("i", "r")));
  one_->Call().Put(key_, 2, Record("j"));
  one_->Call().Append({key_, Side("j")}, 3, kInitiator, 1, "secret");
  EXPECT_THAT(two_->Call().Read(old, kInitiator), IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(two_->Call().Accept(old, kInitiator, 1).status()));
  EXPECT_EQ(two_->Call().Append(old, 3, kInitiator, 2, "x").outcome, AppendOutcome::kStale);
  EXPECT_EQ(two_->Call().Put(key_, 3, Record("i", "r")), PutOutcome::kStale);
  EXPECT_EQ(one_->Call().Load(key_)->log(kInitiator), (LogState{.stored = 1, .bytes = 6}));
}

// Racing, on purpose: one log through both relays, while its reader is at both too.
TEST_F(EtcdGroupTest, RacingRelaysLeaveOneTruth) {
  Open();
  constexpr uint64_t kFrames = 60;
  const auto author = [this](EtcdRelay& relay) {
    for (uint64_t n = 1; n <= kFrames; ++n) {
      const AppendResult result =
          relay.Call().Append(key_, 1, kInitiator, n, "frame " + std::to_string(n));
      if (result.outcome != AppendOutcome::kDone) ADD_FAILURE() << "frame " << n;
    }
  };
  const auto reader = [this](EtcdRelay& relay) {
    for (uint64_t n = 0; n < kFrames; ++n) {
      EXPECT_TRUE(relay.Call().Accept(key_, kInitiator, n).ok());
    }
  };
  auto a = std::async(std::launch::async, author, std::ref(*one_));
  auto b = std::async(std::launch::async, author, std::ref(*two_));
  auto c = std::async(std::launch::async, reader, std::ref(*one_));
  auto d = std::async(std::launch::async, reader, std::ref(*two_));
  for (auto* done : {&a, &b, &c, &d}) done->get();
  EXPECT_EQ(one_->Call().Load(key_)->log(kInitiator),
            (LogState{.stored = kFrames, .forgotten = 59, .accepted = 59, .bytes = 8}));
  EXPECT_THAT(two_->Call().Read(key_, kInitiator), ElementsAre(Frame(kFrames, "frame 60")));
}

TEST_F(EtcdGroupTest, TheLaterAttachmentIsTheOneThatCounts) {
  Open();
  one_->store().SetAttached(key_, kInitiator, true);
  two_->listener().Await("elsewhere 7 i");
  two_->store().SetAttached(key_, kInitiator, true);
  one_->listener().Await("elsewhere 7 i");
  one_->store().SetAttached(key_, kInitiator, false);  // the other's stays
  EXPECT_TRUE(one_->Call().Load(key_)->remote[kInitiator]);
  EXPECT_FALSE(two_->Call().Load(key_)->remote[kInitiator]);
  two_->store().SetAttached(key_, kInitiator, false);
  one_->listener().Await("nowhere 7 i");
}

// Its relay could not say so before the side was elsewhere.
TEST_F(EtcdGroupTest, WhoIsAnnouncedLateLeavesTheNewerStreamAlone) {
  Open();
  const ChannelRef channel(key_, Side("i"));
  one_->Freeze();
  one_->store().SetAttached(channel, kInitiator, true);  // waits for a tick
  two_->Call().Load(key_);
  two_->store().SetAttached(channel, kInitiator, true);
  one_->listener().Await("elsewhere 7 i");  // the watch needs no ticks
  one_->Tick();
  one_->Call().Put({"a", 1}, 0, Record("x"));  // a batch with what has waited, or behind it
  EXPECT_FALSE(two_->Call().Load(key_)->remote[kInitiator]);
  const auto seen = one_->Call().Load(key_);
  EXPECT_TRUE(seen->remote[kInitiator]);
  EXPECT_TRUE(seen->superseded[kInitiator]);
}

// Also before etcd has heard of it: the relay is frozen, and what it knows is asked, without etcd.
TEST_F(EtcdGroupTest, WhoCameHereLastIsNotElsewhere) {
  Open();
  const ChannelRef channel(key_, Side("i"));
  two_->store().SetAttached(channel, kInitiator, true);
  one_->listener().Await("elsewhere 7 i");
  one_->Call().Load(key_);
  ASSERT_TRUE(one_->store().Cached(key_)->remote[kInitiator]);
  one_->Freeze();
  one_->store().SetAttached(channel, kInitiator, true);
  EXPECT_FALSE(one_->store().Cached(key_)->remote[kInitiator]);
}

// However short it was there, and also when its relay has gone since with its lease.
TEST_F(EtcdGroupTest, WhatCameAndWentElsewhereHasSuperseded) {
  Open();
  const ChannelRef channel(key_, Side("i"));
  one_->store().SetAttached(channel, kInitiator, true);
  two_->listener().Await("elsewhere 7 i");
  EXPECT_FALSE(one_->Call().Load(key_)->superseded[kInitiator]);
  two_->store().SetAttached(channel, kInitiator, true);
  one_->listener().Await("elsewhere 7 i");
  two_->store().SetAttached(channel, kInitiator, false);
  one_->listener().Await("nowhere 7 i");
  EXPECT_TRUE(one_->Call().Load(key_)->superseded[kInitiator]);
  EXPECT_FALSE(two_->Call().Load(key_)->superseded[kInitiator]);
  two_.reset();
  EXPECT_TRUE(one_->Call().Load(key_)->superseded[kInitiator]);
  one_->store().SetAttached(channel, kInitiator, true);
  EXPECT_FALSE(one_->Call().Load(key_)->superseded[kInitiator]) << "a newer one is here";
}

// After a time without etcd its keys are old, and last a little longer: until they are gone, what
// the time is is not known, and nobody is served.
TEST_F(EtcdGroupTest, ARelayThatStartsGoesByNoOldClock) {
  const std::string granted = cluster_->Control({"lease", "grant", "2"}).value();
  const std::string lease = granted.substr(6, granted.find(' ', 6) - 6);  // lease ID granted ...
  const ClockReport old{.time = absl::Now() - absl::Hours(3)};
  ASSERT_TRUE(
      cluster_
          ->Control({"put", "--lease=" + lease, "alone/v1/clock/6f6c64", WriteClock(old, "old")})
          .ok());
  EtcdRelay late("late", {.servers = {.endpoints = {cluster_->endpoint(0)}},
                          .prefix = "alone/",
                          .presence_ttl = absl::Seconds(2)});
  EXPECT_EQ(late.clock().state().offset, absl::ZeroDuration());
}

TEST_F(EtcdGroupTest, ARelayThatGoesTakesItsSidesPresenceWithIt) {
  Open();
  two_->store().SetAttached(key_, kReceiver, true);
  one_->listener().Await("elsewhere 7 r");
  two_.reset();
  one_->listener().Await("nowhere 7 r");
}

TEST_F(EtcdGroupTest, ARelayThatStandsStillLosesItsPresenceAndRegainsIt) {
  Open();
  two_->store().SetAttached(key_, kReceiver, true);
  one_->listener().Await("elsewhere 7 r");
  two_->Freeze();
  one_->listener().Await("nowhere 7 r");
  two_->Tick();
  one_->listener().Await("elsewhere 7 r");
}

TEST_F(EtcdGroupTest, WhoRegainsItsPresenceDisturbsNobodyWhoCameMeanwhile) {
  Open();
  two_->store().SetAttached(key_, kReceiver, true);
  one_->listener().Await("elsewhere 7 r");
  two_->Freeze();
  one_->listener().Await("nowhere 7 r");
  one_->store().SetAttached(key_, kReceiver, true);
  two_->listener().Await("elsewhere 7 r");  // the watch needs no ticks
  two_->Tick();
  two_->Call().Put({"a", 1}, 0, Record("x"));  // a batch after the renewal
  EXPECT_FALSE(one_->Call().Load(key_)->remote[kReceiver]);
}

// A channel that another relay has made is known here, and its frames are at hand, without a look.
TEST_F(EtcdGroupTest, WhatIsHeardOfIsKnown) {
  one_->Call().Put(key_, 0, Record("i"), {.attached = RoleSet(kInitiator)});
  two_->listener().Await("elsewhere 7 i");
  one_->Call().Append(key_, 1, kInitiator, 1, "one");
  two_->listener().Await("log 7 i stored 1 accepted 0 frame 1 one");
  const auto known = two_->store().Cached(key_);
  ASSERT_TRUE(known.has_value());
  EXPECT_EQ(known->record.version, 1u);
  EXPECT_TRUE(known->remote[kInitiator]);
  EXPECT_EQ(known->log(kInitiator), (LogState{.stored = 1, .bytes = 3}));
  EXPECT_EQ(two_->store().Cached({"example.com/app1", 8}), std::nullopt);
  cluster_->Pause(0);
  EXPECT_THAT(two_->Call().Read({key_, Side("i")}, kInitiator), ElementsAre(Frame(1u, "one")));
  cluster_->Resume(0);
}

TEST_F(EtcdGroupTest, ARecordBringsAlongWhoIsAttachedAndWhatWasAccepted) {
  one_->Call().Put(key_, 0, Record("i"));
  two_->listener().Await("changed 7 known");
  one_->Call().Append(key_, 1, kInitiator, 1, "one");
  EXPECT_EQ(two_->Call().Put(key_, 1, Record("i", "r"),
                             {.attached = RoleSet(kReceiver), .read_back = true}),
            PutOutcome::kDone);
  EXPECT_EQ(two_->store().Cached(key_)->log(kInitiator), (LogState{.stored = 1, .bytes = 3}));
  one_->listener().Await("elsewhere 7 r");
  ChannelRecord left = Record("i", "r");
  left.member(kReceiver).left = true;
  EXPECT_EQ(two_->Call().Put(key_, 2, left, {.accepted = {1, 0}}), PutOutcome::kDone);
  EXPECT_EQ(one_->Call().Load(key_)->log(kInitiator),
            (LogState{.stored = 1, .forgotten = 1, .accepted = 1}));
  // Nobody comes along with what is refused.
  EXPECT_EQ(one_->Call().Put(key_, 2, left, {.attached = RoleSet(kReceiver)}), PutOutcome::kStale);
  EXPECT_FALSE(two_->Call().Load(key_)->remote[kReceiver]);
}

TEST_F(EtcdGroupTest, WhoCameAlongWithARecordIsGoneWithItsRelay) {
  one_->Call().Put(key_, 0, Record("i"));
  ChannelRecord claimed = Record("i", "s");
  two_->Call().Put(key_, 1, claimed, {.attached = RoleSet(kReceiver)});
  one_->listener().Await("elsewhere 7 r");
  two_->Freeze();
  one_->listener().Await("nowhere 7 r");
  two_->Tick();
  one_->listener().Await("elsewhere 7 r");
  two_->store().SetAttached(key_, kReceiver, false);
  one_->listener().Await("nowhere 7 r");
}

TEST_F(EtcdGroupTest, AnEarlierChannelsSideIsNotAttachedInTheNext) {
  one_->Call().Put(key_, 0, Record("i", "r"));
  one_->Call().Put(key_, 1, Closed(Record("i", "r")));
  two_->Call().Put(key_, 2, Record("j", "s"));
  one_->store().SetAttached({key_, Side("i")}, kReceiver, true);  // late
  one_->store().SetAttached({key_, Side("j")}, kInitiator, true);
  two_->listener().Await("elsewhere 7 i");
  EXPECT_EQ(two_->Call().Load(key_)->remote, (PerRole<bool>{{true, false}}));
}

// The answer was lost, and the call given up, before it took effect.
TEST_F(EtcdGroupTest, AWordThatComesLateIsTakenBack) {
  Open();
  const std::string key = prefix_ + "v1/st/example.com%2Fapp1/7/pr";
  EXPECT_TRUE(cluster_->Control({"put", key, "\n\x03one"}).ok());
  two_->listener().Await("elsewhere 7 r");
  two_->listener().Await("nowhere 7 r");
}

TEST_F(EtcdGroupTest, ThirdPartiesAreHeardOf) {
  Open();
  one_->store().TellThirdParties(key_, 2);
  two_->listener().Await("third parties 7 2");
  EXPECT_THAT(one_->listener().notes(), Not(Contains("third parties 7 2")));
}

// However busy the channel is.
TEST_F(EtcdGroupTest, WhatIsToldOfAChannelGoesBetweenItsCalls) {
  Open();
  one_->store().SetAttached(key_, kInitiator, true);
  two_->listener().Await("elsewhere 7 i");
  std::atomic<bool> enough = false;
  std::promise<void> ended;
  // There is a call in each batch: the next one is made before the last one's answer is through.
  const std::function<void()> call = [&] {
    one_->store().Accept(key_, kInitiator, 0,
                         [&](const auto&) { enough ? ended.set_value() : call(); });
  };
  call();
  one_->store().TellThirdParties(key_, 2);
  two_->listener().Await("third parties 7 2");
  one_->store().SetAttached(key_, kInitiator, false);
  two_->listener().Await("nowhere 7 i");
  enough = true;
  ended.get_future().wait();
}

TEST_F(EtcdGroupTest, WhatIsDueIsLeftToTheRelayThatWroteItForAWhile) {
  one_->Call().Put(key_, 0, Record("i"));
  two_->listener().Await("taken 7");
  EXPECT_THAT(one_->Call().Due(At(3600)), ElementsAre(key_));
  EXPECT_THAT(two_->Call().Due(At(3604)), IsEmpty());
  EXPECT_THAT(two_->Call().Due(At(3605)), ElementsAre(key_));
}

}  // namespace
}  // namespace wormhole::relay
