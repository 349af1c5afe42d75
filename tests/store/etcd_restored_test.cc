// An etcd that was restored from an older copy, while relays run: what was acknowledged since is
// gone, and what they know is of a history that is no more.
#include <array>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/etcd_relay.h"
#include "tests/support/etcd_server.h"

namespace wormhole::relay {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::wormhole::testing::EtcdCluster;

constexpr Role kInitiator = Role::kInitiator;
constexpr Role kReceiver = Role::kReceiver;
const ChannelKey kKept = {"example.com/app1", 7};
const ChannelKey kLater = {"example.com/app1", 8};

class EtcdRestoredTest : public ::testing::TestWithParam<int> {
 protected:
  std::unique_ptr<EtcdRelay> Relay(const std::string& name) {
    EtcdOptions options;
    options.patience = absl::InfiniteDuration();
    options.creation_patience = absl::InfiniteDuration();
    for (int node = 0; node < cluster_.size(); ++node) {
      options.servers.endpoints.push_back(cluster_.endpoint(node));
    }
    return std::make_unique<EtcdRelay>(name, std::move(options));
  }

  // What the copy has: a channel with two frames of its initiator, of which one is accepted.
  void Before() {
    one_->Call().Put(kKept, 0, Record("i", "r"));
    one_->Call().Append(kKept, 1, kInitiator, 1, "one");
    one_->Call().Append(kKept, 1, kInitiator, 2, "two");
    EXPECT_TRUE(one_->Call().Accept(kKept, kInitiator, 1).ok());
    copy_ = cluster_.Save();
  }
  // What it has not: more frames, accepted too, and another channel with a lease of its own.
  void After() {
    one_->Call().Append(kKept, 1, kInitiator, 3, "three");
    EXPECT_TRUE(one_->Call().Accept(kKept, kInitiator, 3).ok());
    one_->Call().Append(kKept, 1, kReceiver, 1, "uno");
    one_->Call().Put(kLater, 0, Record("j", "", /*created=*/7200));
    two_->listener().Await("taken 8");
  }
  // Loads at two relays, which believe in what they know.
  void Know() {
    two_->Call().Load(kKept);
    two_->Call().Load(kLater);
  }
  void AwaitRestored() {
    one_->listener().Await("restored");
    two_->listener().Await("restored");
  }
  // The relays have and do what the copy says.
  void ExpectAsBefore(EtcdRelay& relay) {
    const auto kept = relay.Call().Load(kKept);
    ASSERT_TRUE(kept.has_value());
    EXPECT_EQ(kept->log(kInitiator),
              (LogState{.stored = 2, .forgotten = 1, .accepted = 1, .bytes = 3}));
    EXPECT_EQ(kept->log(kReceiver), LogState());
    EXPECT_THAT(relay.Call().Read(kKept, kInitiator, 1), ElementsAre(Frame(2u, "two")));
    EXPECT_THAT(relay.Call().Read(kKept, kReceiver), IsEmpty());
    EXPECT_EQ(relay.Call().Load(kLater), std::nullopt);
    EXPECT_EQ(relay.Call().FindSide(kLater.app_id, Side("j")), std::nullopt);
  }
  void ExpectWork(EtcdRelay& relay) {
    EXPECT_EQ(relay.Call().Append(kKept, 1, kInitiator, 4, "four").outcome, AppendOutcome::kGap);
    EXPECT_EQ(relay.Call().Append(kKept, 1, kInitiator, 3, "tres").outcome, AppendOutcome::kDone);
    EXPECT_EQ(relay.Call().Append(kKept, 1, kReceiver, 1, "eins").outcome, AppendOutcome::kDone);
    EXPECT_EQ(relay.Call().Put(kLater, 0, Record("k", "", /*created=*/7200)), PutOutcome::kDone);
  }
  // Afterwards the new history has more revisions than the old one had.
  void Outrun() {
    for (uint32_t id = 10; id < 30; ++id) {
      one_->Call().Put({"a", id}, 0, Record("i" + std::to_string(id)));
    }
  }

  EtcdCluster cluster_{{.nodes = GetParam()}};
  std::unique_ptr<EtcdRelay> one_ = Relay("one");
  std::unique_ptr<EtcdRelay> two_ = Relay("two");
  std::string copy_;
};

// Under a new token, as the README says. The other tests are of an operator who has kept the old
// one, so that relays have nothing but the history to go by.
using EtcdRestoredByTheManualTest = EtcdRestoredTest;

TEST_P(EtcdRestoredTest, RelaysThatRunGoBackWithIt) {
  Before();
  After();
  Know();
  cluster_.RestoreUnderOldToken(copy_);
  AwaitRestored();
  EXPECT_THAT(one_->listener().notes(), Contains("free 8"));
  EXPECT_THAT(two_->listener().notes(), Contains("free 8"));
  ExpectAsBefore(*one_);
  ExpectAsBefore(*two_);
  ExpectWork(*two_);
  one_->listener().Await("log 7 i stored 3 accepted 1 frame 3 tres");
  one_->listener().Await("taken 8");
}

// Each call finds out for itself that what is known is no more, whoever is first.
TEST_P(EtcdRestoredTest, CallsThatComeBeforeTheNewsFail) {
  Before();
  After();
  one_->Freeze();
  cluster_.RestoreUnderOldToken(copy_);
  auto early = std::make_shared<std::promise<absl::StatusOr<AppendResult>>>();
  one_->store().Append(kKept, 1, kInitiator, 4, "four",
                       [early](const auto& result) { early->set_value(result); });
  one_->store().Put(kLater, 1, Closed(Record("j")), {}, [](const auto& outcome) {
    EXPECT_TRUE(!outcome.ok() || *outcome == PutOutcome::kStale);
  });
  one_->Tick();
  const auto result = early->get_future().get();
  EXPECT_TRUE(IsStoreAway(result.status()) || result->outcome == AppendOutcome::kGap)
      << result.status();
  AwaitRestored();
  ExpectAsBefore(*one_);
  ExpectWork(*one_);
}

TEST_P(EtcdRestoredTest, RelaysThatStartFindWhatIsThere) {
  Before();
  After();
  one_.reset();
  two_.reset();
  cluster_.RestoreUnderOldToken(copy_);
  one_ = Relay("one again");
  two_ = Relay("two again");
  ExpectAsBefore(*one_);
  ExpectWork(*two_);
  EXPECT_THAT(one_->listener().notes(), Not(Contains("restored")));
}

TEST_P(EtcdRestoredTest, ARelayThatComesLateNoticesToo) {
  Before();
  After();
  Know();
  two_->Freeze();
  cluster_.RestoreUnderOldToken(copy_);
  one_->listener().Await("restored");
  ExpectWork(*one_);
  Outrun();
  two_->Tick();
  two_->listener().Await("restored");
  EXPECT_THAT(two_->listener().notes(), Contains("taken 10"));
  EXPECT_EQ(two_->Call().Load(kKept)->log(kInitiator).stored, 3u);
  EXPECT_THAT(two_->Call().Read(kKept, kInitiator, 2), ElementsAre(Frame(3u, "tres")));
  EXPECT_EQ(two_->Call().Append(kKept, 1, kInitiator, 4, "cuatro").outcome, AppendOutcome::kDone);
  EXPECT_EQ(two_->Call().Load(kLater)->record.member(kInitiator).side, Side("k"));
}

// It has heard of nothing but what it has read when it started.
TEST_P(EtcdRestoredTest, ARelayThatHasSeenNoEventNoticesToo) {
  Before();
  one_->Call().Append(kKept, 1, kInitiator, 3, "three");
  one_->Call().Put(kLater, 0, Record("j"));
  two_ = Relay("two again");
  two_->Freeze();
  cluster_.RestoreUnderOldToken(copy_);
  one_->listener().Await("restored");
  Outrun();
  two_->Tick();
  two_->listener().Await("restored");
  EXPECT_EQ(two_->Call().Load(kLater), std::nullopt);
}

// All that it has lost is a deletion.
TEST_P(EtcdRestoredTest, ARelayThatComesLateNoticesADeletion) {
  Before();
  one_->Call().Put(kLater, 0, Record("j"));
  copy_ = cluster_.Save();
  one_->Call().Erase(kLater, 1);
  two_->listener().Await("free 8");
  two_->Freeze();
  cluster_.RestoreUnderOldToken(copy_);
  one_->listener().Await("restored");
  Outrun();
  two_->Tick();
  two_->listener().Await("restored");
  EXPECT_EQ(two_->Call().Put(kLater, 1, Closed(Record("j"))), PutOutcome::kDone);
}

// Its watch has perhaps not told it of what it has done itself.
TEST_P(EtcdRestoredTest, ARelayKnowsItsOwnLastChange) {
  Before();
  for (int round = 0; round < 5; ++round) {
    one_->Call().Append(kKept, 1, kInitiator, 3, "three");
    cluster_.RestoreUnderOldToken(copy_);
    one_->listener().Await("restored");
    EXPECT_EQ(one_->Call().Load(kKept)->log(kInitiator).stored, 2u);
  }
}

TEST_P(EtcdRestoredTest, AnEtcdThatHasLostEverything) {
  Before();
  After();
  cluster_.RestoreUnderOldToken("");
  AwaitRestored();
  EXPECT_THAT(one_->listener().notes(), Contains("free 7"));
  EXPECT_EQ(one_->Call().Load(kKept), std::nullopt);
  EXPECT_EQ(one_->Call().Put(kKept, 0, Record("i", "r")), PutOutcome::kDone);
}

// Its history is the same.
TEST_P(EtcdRestoredTest, ARestartIsNoRestoring) {
  Before();
  After();
  for (int round = 0; round < 3; ++round) {
    for (int node = 0; node < cluster_.size(); ++node) cluster_.Kill(node);
    for (int node = 0; node < cluster_.size(); ++node) cluster_.Start(node);
    for (int node = 0; node < cluster_.size(); ++node) cluster_.AwaitServing(node);
    const ChannelKey key = {"a", static_cast<uint32_t>(round) + 20};
    one_->Call().Put(key, 0, Record("i" + std::to_string(key.id)));
    two_->listener().Await("taken " + std::to_string(key.id));
  }
  EXPECT_THAT(one_->listener().notes(), Not(Contains("restored")));
  EXPECT_THAT(two_->listener().notes(), Not(Contains("restored")));
}

// Where a side was attached when the copy was made says nothing of where it is.
TEST_P(EtcdRestoredByTheManualTest, PresenceOfTheCopyIsTakenBack) {
  Before();
  two_->Call().Load(kKept);
  one_->store().SetAttached(kKept, kInitiator, true);
  one_->store().SetAttached(kKept, kReceiver, true);
  two_->listener().Await("elsewhere 7 r");
  copy_ = cluster_.Save();
  one_->store().SetAttached(kKept, kReceiver, false);
  two_->listener().Await("nowhere 7 r");
  cluster_.Restore(copy_);
  AwaitRestored();
  // Until the lease of the copy is gone, and the initiator is announced under a new one.
  while (two_->Call().Load(kKept)->remote != PerRole<bool>{{true, false}}) {
  }
}

// The history looks the same: a deletion that was lost is done again at the same revision.
TEST_P(EtcdRestoredByTheManualTest, ARelayNoticesWhateverWasDoneSince) {
  Before();
  one_->Call().Put(kLater, 0, Record("j"));
  copy_ = cluster_.Save();
  EXPECT_EQ(one_->Call().Erase(kLater, 1), PutOutcome::kDone);
  two_->listener().Await("free 8");
  two_->Freeze();
  cluster_.Restore(copy_);
  one_->listener().Await("restored");
  EXPECT_EQ(one_->Call().Erase(kLater, 1), PutOutcome::kDone);
  two_->Tick();
  two_->listener().Await("restored");
  ExpectAsBefore(*two_);
}

INSTANTIATE_TEST_SUITE_P(Nodes, EtcdRestoredTest, ::testing::Values(1, 3),
                         [](const auto& nodes) { return "Of" + std::to_string(nodes.param); });
INSTANTIATE_TEST_SUITE_P(Nodes, EtcdRestoredByTheManualTest, ::testing::Values(1, 3),
                         [](const auto& nodes) { return "Of" + std::to_string(nodes.param); });

}  // namespace
}  // namespace wormhole::relay
