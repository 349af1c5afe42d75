#include "tests/store/shared_contract.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"

namespace wormhole::relay {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

// Ids, starting and ending.

TEST_P(SharedStoreContractTest, IsShared) { EXPECT_TRUE(one_->store().shared()); }

TEST_P(SharedStoreContractTest, WhoStartsHearsOfAllChannelsFirst) {
  Call(*one_).Put(key_, 0, Record("i"));
  Call(*one_).Put({key_.app_id, 8}, 0, Record("j"));
  Call(*one_).Put({key_.app_id, 8}, 1, Closed(Record("j")));
  const auto three = under_test_->Join();
  Call(*one_).Put({key_.app_id, 9}, 0, Record("k"));
  Await(*three, "taken 9");
  std::vector<std::string> notes = three->listener().notes();
  ASSERT_GE(notes.size(), 2u);
  notes.resize(2);
  EXPECT_THAT(notes, UnorderedElementsAre("taken 7", "resting 8"));
}

TEST_P(SharedStoreContractTest, ChannelsOfOthersAreHeardOf) {
  Call(*one_).Put(key_, 0, Record("i"));
  Await(*two_, "taken 7");
  Await(*two_, "changed 7 known");
  Call(*one_).Put(key_, 1, Closed(Record("i")));
  Await(*two_, "resting 7");
  Call(*one_).Erase(key_, 2);
  Await(*two_, "free 7");
  EXPECT_EQ(Call(*two_).Put(key_, 0, Record("j")), PutOutcome::kDone);
  Await(*one_, "taken 7");
  EXPECT_THAT(one_->listener().notes(), Not(Contains("resting 7"))) << "its own doing";
}

TEST_P(SharedStoreContractTest, NobodyIsToldAnythingAfterStopTelling) {
  Open();
  two_->store().StopTelling();
  const std::vector<std::string> before = two_->listener().notes();
  Call(*one_).Append(channel_, 1, kInitiator, 1, "one");
  under_test_->Settle();
  EXPECT_EQ(two_->listener().notes(), before);
}

// Logs.

TEST_P(SharedStoreContractTest, FramesAndAcknowledgementsAreHeardOf) {
  Open();
  Call(*one_).Append(channel_, 1, kInitiator, 1, "one");
  Await(*two_, "log 7 i stored 1 accepted 0 frame 1 one");
  EXPECT_THAT(Call(*two_).Read(channel_, kInitiator), ElementsAre(Frame(1u, "one")));
  EXPECT_TRUE(Call(*two_).Accept(channel_, kInitiator, 1).ok());
  Await(*one_, "log 7 i stored 1 accepted 1");
  EXPECT_THAT(Call(*one_).Read(channel_, kInitiator), IsEmpty());
}

// As when the store was put back to an older copy, and another receiver came first.
TEST_P(SharedStoreContractTest, WhatNobodyOfTheChannelHasAcceptedIsNotForgotten) {
  const ChannelRef before(key_, Side("i"), Side("r")), now(key_, Side("i"), Side("s"));
  Call(*one_).Put(key_, 0, Record("i"));
  Call(*one_).Append(channel_, 1, kInitiator, 1, "one");
  EXPECT_TRUE(absl::IsNotFound(Call(*two_).Accept(before, kInitiator, 1).status()));
  Call(*one_).Put(key_, 1, Record("i", "s"));
  EXPECT_TRUE(absl::IsNotFound(Call(*two_).Accept(before, kInitiator, 1).status()));
  EXPECT_EQ(Call(*two_).Load(key_)->log(kInitiator), (LogState{.stored = 1, .bytes = 3}));
  EXPECT_EQ(*Call(*two_).Accept(now, kInitiator, 1),
            (LogState{.stored = 1, .forgotten = 1, .accepted = 1}));
}

// The same: what the initiator says to the receiver that it knew, has of it, and ends with it.
TEST_P(SharedStoreContractTest, WhatIsOfOneReceiverIsNotTheNextOnes) {
  const ChannelRef before(key_, Side("i"), Side("r"));
  Call(*one_).Put(key_, 0, Record("i"));
  Call(*one_).Put(key_, 1, Record("i", "s"));
  EXPECT_EQ(Call(*two_).Append(before, 2, kInitiator, 1, "x").outcome, AppendOutcome::kStale);
  EXPECT_EQ(Call(*two_).Append(before, 2, kReceiver, 1, "x").outcome, AppendOutcome::kStale);
  EXPECT_TRUE(absl::IsNotFound(Call(*two_).Accept(before, kReceiver, 9).status()));
  EXPECT_EQ(Call(*two_).Put(key_, 2, Closed(Record("i", "r"))), PutOutcome::kStale);
  EXPECT_EQ(Call(*two_).Append({key_, Side("i"), Side("s")}, 2, kReceiver, 1, "x").outcome,
            AppendOutcome::kDone);
  EXPECT_THAT(Call(*two_).Read(before, kReceiver), IsEmpty());
  EXPECT_THAT(Call(*two_).Read(channel_, kReceiver), ElementsAre(Frame(1u, "x")));
}

TEST_P(SharedStoreContractTest, AChangeElsewhereIsFoundOutAndNotWrittenOver) {
  Open();
  EXPECT_EQ(Call(*one_).Put(key_, 1, Closed(Record("i", "r"))), PutOutcome::kDone);
  EXPECT_EQ(Call(*two_).Put(key_, 1, Record("i", "r")), PutOutcome::kStale);
  EXPECT_EQ(Call(*two_).Append(channel_, 1, kReceiver, 1, "x").outcome, AppendOutcome::kStale);
  EXPECT_EQ(Call(*two_).Erase(key_, 1), PutOutcome::kStale);
}

TEST_P(SharedStoreContractTest, AnIdThatIsUsedAgainIsAnotherChannel) {
  Open();
  Call(*one_).Put(key_, 1, Closed(Record("i", "r")));
  Call(*one_).Put(key_, 2, Record("j"));
  Call(*one_).Append({key_, Side("j")}, 3, kInitiator, 1, "secret");
  EXPECT_THAT(Call(*two_).Read(channel_, kInitiator), IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(Call(*two_).Accept(channel_, kInitiator, 1).status()));
  EXPECT_EQ(Call(*two_).Append(channel_, 3, kInitiator, 2, "x").outcome, AppendOutcome::kStale);
  EXPECT_EQ(Call(*two_).Put(key_, 3, Record("i", "r")), PutOutcome::kStale);
}

// What a record brings along.

TEST_P(SharedStoreContractTest, ARecordBringsAlongWhoIsAttached) {
  Call(*one_).Put(key_, 0, Record("i"), {.attached = RoleSet(kInitiator)});
  Await(*two_, "elsewhere 7 i");
  EXPECT_EQ(Call(*two_).Put(key_, 1, Record("i", "r"), {.attached = RoleSet(kReceiver)}),
            PutOutcome::kDone);
  Await(*one_, "elsewhere 7 r");
  EXPECT_EQ(Call(*one_).Load(key_)->remote, (PerRole<bool>{{false, true}}));
  EXPECT_EQ(Call(*two_).Load(key_)->remote, (PerRole<bool>{{true, false}}));
  EXPECT_EQ(Call(*two_).Load(key_)->superseded[kReceiver], false);
}

TEST_P(SharedStoreContractTest, NobodyComesAlongWithARecordThatIsRefused) {
  Open();
  EXPECT_EQ(Call(*two_).Put(key_, 2, Record("i", "r"), {.attached = RoleSet(kReceiver)}),
            PutOutcome::kStale);
  two_->store().TellThirdParties(channel_, 1);
  Await(*one_, "third parties 7 1");
  EXPECT_FALSE(Call(*one_).Load(key_)->remote[kReceiver]);
  EXPECT_THAT(one_->listener().notes(), Not(Contains("elsewhere 7 r")));
}

TEST_P(SharedStoreContractTest, ARecordBringsAlongWhatWasAccepted) {
  Open();
  Call(*one_).Append(channel_, 1, kInitiator, 1, "one");
  ChannelRecord left = Record("i", "r");
  left.member(kReceiver).left = true;
  EXPECT_EQ(Call(*two_).Put(key_, 1, left, {.accepted = {1, 0}}), PutOutcome::kDone);
  EXPECT_EQ(Call(*one_).Load(key_)->log(kInitiator),
            (LogState{.stored = 1, .forgotten = 1, .accepted = 1}));
}

TEST_P(SharedStoreContractTest, WhatWasAcceptedMeansNothingToAChannelThatHasEnded) {
  Open();
  Call(*one_).Append(channel_, 1, kInitiator, 1, "one");
  EXPECT_EQ(Call(*two_).Put(key_, 1, Closed(Record("i", "r")), {.accepted = {1, 0}}),
            PutOutcome::kDone);
  EXPECT_EQ(Call(*one_).Load(key_)->log(kInitiator), LogState());
}

// Cached may know nothing, and knows nothing wrong of a channel that nobody changes.
TEST_P(SharedStoreContractTest, WhatIsReadBackIsWhatALoadTells) {
  Call(*one_).Put(key_, 0, Record("i"));
  Call(*one_).Append(channel_, 1, kInitiator, 1, "one");
  EXPECT_EQ(Call(*two_).Put(key_, 1, Record("i", "r"), {.read_back = true}), PutOutcome::kDone);
  const std::optional<ChannelSnapshot> cached = two_->store().Cached(key_);
  const std::optional<ChannelSnapshot> loaded = Call(*two_).Load(key_);
  ASSERT_TRUE(loaded.has_value());
  const ChannelSnapshot known = cached.value_or(*loaded);
  EXPECT_EQ(known.record.version, 2u);
  EXPECT_EQ(known.record.member(kReceiver).side, Side("r"));
  EXPECT_EQ(known.log(kInitiator), (LogState{.stored = 1, .bytes = 3}));
  EXPECT_EQ(two_->store().Cached({key_.app_id, 8}), std::nullopt);
}

// Where sides are attached.

TEST_P(SharedStoreContractTest, TheLaterAttachmentIsTheOneThatCounts) {
  Open();
  one_->store().SetAttached(channel_, kInitiator, true);
  Await(*two_, "elsewhere 7 i");
  two_->store().SetAttached(channel_, kInitiator, true);
  Await(*one_, "elsewhere 7 i");
  one_->store().SetAttached(channel_, kInitiator, false);  // the other's stays
  EXPECT_TRUE(Call(*one_).Load(key_)->remote[kInitiator]);
  EXPECT_FALSE(Call(*two_).Load(key_)->remote[kInitiator]);
  two_->store().SetAttached(channel_, kInitiator, false);
  Await(*one_, "nowhere 7 i");
  EXPECT_FALSE(Call(*one_).Load(key_)->remote[kInitiator]);
}

TEST_P(SharedStoreContractTest, WhatCameAndWentElsewhereHasSuperseded) {
  Open();
  one_->store().SetAttached(channel_, kInitiator, true);
  Await(*two_, "elsewhere 7 i");
  EXPECT_FALSE(Call(*one_).Load(key_)->superseded[kInitiator]);
  two_->store().SetAttached(channel_, kInitiator, true);
  Await(*one_, "elsewhere 7 i");
  two_->store().SetAttached(channel_, kInitiator, false);
  Await(*one_, "nowhere 7 i");
  EXPECT_TRUE(Call(*one_).Load(key_)->superseded[kInitiator]);
  EXPECT_FALSE(Call(*two_).Load(key_)->superseded[kInitiator]);
  two_.reset();
  EXPECT_TRUE(Call(*one_).Load(key_)->superseded[kInitiator]) << "though its relay has ended";
  one_->store().SetAttached(channel_, kInitiator, true);
  EXPECT_FALSE(Call(*one_).Load(key_)->superseded[kInitiator]) << "a newer one is here";
}

TEST_P(SharedStoreContractTest, ARelayThatEndsTakesItsSidesPresenceWithIt) {
  Open();
  two_->store().SetAttached(channel_, kReceiver, true);
  Await(*one_, "elsewhere 7 r");
  two_.reset();
  Await(*one_, "nowhere 7 r");
}

TEST_P(SharedStoreContractTest, AChannelThatEndsTakesItsPresenceWithIt) {
  Open();
  two_->store().SetAttached(channel_, kReceiver, true);
  Await(*one_, "elsewhere 7 r");
  Call(*one_).Put(key_, 1, Closed(Record("i", "r")));
  EXPECT_FALSE(Call(*one_).Load(key_)->remote[kReceiver]);
}

TEST_P(SharedStoreContractTest, AnEarlierChannelsSideIsNotAttachedInTheNext) {
  Open();
  Call(*one_).Put(key_, 1, Closed(Record("i", "r")));
  Call(*two_).Put(key_, 2, Record("j", "s"));
  one_->store().SetAttached(channel_, kReceiver, true);  // late
  one_->store().SetAttached({key_, Side("j")}, kInitiator, true);
  Await(*two_, "elsewhere 7 i");
  EXPECT_EQ(Call(*two_).Load(key_)->remote, (PerRole<bool>{{true, false}}));
}

// Third parties, and what was missed.

TEST_P(SharedStoreContractTest, ThirdPartiesAreHeardOfByTheOthers) {
  Open();
  one_->store().TellThirdParties(channel_, 2);
  Await(*two_, "third parties 7 2");
  EXPECT_THAT(one_->listener().notes(), Not(Contains("third parties 7 2")));
}

TEST_P(SharedStoreContractTest, WhoHasMissedSomethingHearsSoAfterTheIdsThatHaveChanged) {
  Call(*one_).Put(key_, 0, Record("i"));
  Call(*one_).Put({key_.app_id, 1}, 0, Record("j"));
  Await(*two_, "taken 1");
  under_test_->Miss(*two_, *one_, [this] {
    EXPECT_EQ(Call(*one_).Erase({key_.app_id, 1}, 1), PutOutcome::kDone);
    Call(*one_).Put({key_.app_id, 2}, 0, Record("k"));
  });
  Await(*two_, "gap");
  std::vector<std::string> notes = two_->listener().notes();
  notes.erase(std::find(notes.begin(), notes.end(), "gap"), notes.end());
  EXPECT_THAT(notes, Contains("free 1"));
  EXPECT_THAT(notes, Contains("taken 2"));
  EXPECT_THAT(two_->listener().notes(), Not(Contains("restored")));
  // It goes on for the channels that are loaded again.
  EXPECT_TRUE(Call(*two_).Load(key_).has_value());
  Call(*one_).Append(channel_, 1, kInitiator, 1, "x");
  Await(*two_, "log 7 i stored 1 accepted 0 frame 1 x");
}

}  // namespace
}  // namespace wormhole::relay
