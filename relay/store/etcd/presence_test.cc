#include "relay/store/etcd/presence.h"

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Role kInitiator = Role::kInitiator;
constexpr Role kReceiver = Role::kReceiver;
const ChannelKey kKey = {"a", 7};
const ChannelRef kChannel(kKey, "i");
const ChannelRef kNext(kKey, "j");  // has the id later

// As calls are written down: "i r +" is the receiver of i's channel that attaches.
std::string Words(const EtcdCalls& calls) {
  std::string words;
  for (const EtcdCall& call : calls) {
    const auto& word = std::get<PresenceCall>(call.what);
    if (!words.empty()) words += ", ";
    words += word.initiator + (word.role == kInitiator ? " i " : " r ");
    words += word.attached ? (word.renewal ? "again" : "+") : "-";
  }
  return words;
}

// What is known of a channel whose record was written at revision 10.
ChannelState Image(const std::string& initiator, const std::string& receiver_at = "") {
  ChannelState state;
  ChannelRecord record;
  record.version = 1;
  record.member(kInitiator).side = initiator;
  state.record.Take(10, record);
  if (!receiver_at.empty()) state.presence(kReceiver).Take(20, receiver_at);
  return state;
}

class PresenceTest : public ::testing::Test {
 protected:
  // Says all that is open of the channel; `image` is what is known of it afterwards.
  std::string Say(const ChannelState& state) {
    const EtcdCalls calls = presence_.Take(kKey);
    presence_.Finish(kKey, calls, {}, state, "me");
    return Words(calls);
  }

  static ChannelKey Key(uint32_t id) { return {"a", id}; }
  void Attach(uint32_t id) { presence_.Attach({Key(id), "i"}, kReceiver, std::nullopt); }

  EtcdPresence presence_;
};

bool Idle(const ChannelKey&) { return false; }
bool Busy(const ChannelKey&) { return true; }

TEST_F(PresenceTest, ALaterWordTakesTheEarlierOnesPlace) {
  presence_.Attach(kChannel, kReceiver, std::nullopt);
  presence_.Detach(kChannel, kReceiver);
  EXPECT_EQ(Say(Image("i")), "i r -");
  EXPECT_TRUE(presence_.empty());
}

TEST_F(PresenceTest, AWordThatChangesWhileItIsSaidIsSaidAnew) {
  presence_.Attach(kChannel, kReceiver, std::nullopt);
  const EtcdCalls calls = presence_.Take(kKey);
  EXPECT_TRUE(presence_.empty());
  presence_.Detach(kChannel, kReceiver);
  presence_.Finish(kKey, calls, {}, Image("i", "me"), "me");
  EXPECT_EQ(Say(Image("i")), "i r -");
}

TEST_F(PresenceTest, WhatWasNotHeardIsSaidAgain) {
  presence_.Attach(kChannel, kReceiver, std::nullopt);
  const EtcdCalls calls = presence_.Take(kKey);
  presence_.Finish(kKey, calls, calls, {}, "me");
  EXPECT_EQ(Say(Image("i", "me")), "i r +");
  EXPECT_TRUE(presence_.empty());
}

TEST_F(PresenceTest, WordsOfTwoChannelsWithOneIdAreApart) {
  presence_.Attach(kChannel, kReceiver, std::nullopt);
  presence_.Attach(kNext, kReceiver, std::nullopt);
  EXPECT_EQ(Say(Image("j", "me")), "i r +, j r +");
  presence_.WriteAgain();
  EXPECT_EQ(Say(Image("j", "me")), "j r again");  // the other channel is over
}

TEST_F(PresenceTest, ARecordBringsItsWordsAlong) {
  const auto numbers = presence_.BringAlong(kChannel, RoleSet(kReceiver));
  EXPECT_TRUE(presence_.empty());
  presence_.RecordWritten(kChannel, kReceiver, {.revision = 20, .said = true, .lasts = true});
  presence_.RecordAnswered(kChannel, RoleSet(kReceiver), numbers, true);
  EXPECT_TRUE(presence_.empty());
  presence_.WriteAgain();
  EXPECT_EQ(Say(Image("i", "me")), "i r again");
}

TEST_F(PresenceTest, ARecordThatHadNoLeaseForThemHasThemSaidLater) {
  const auto numbers = presence_.BringAlong(kChannel, RoleSet(kReceiver));
  presence_.RecordWritten(kChannel, kReceiver, {.revision = 20});
  presence_.RecordAnswered(kChannel, RoleSet(kReceiver), numbers, true);
  EXPECT_EQ(Say(Image("i", "me")), "i r +");
}

// It may have been put all the same, or may yet be.
TEST_F(PresenceTest, ARecordThatIsNotPutLeavesNoWord) {
  const auto numbers = presence_.BringAlong(kChannel, RoleSet(kReceiver));
  presence_.RecordAnswered(kChannel, RoleSet(kReceiver), numbers, false);
  EXPECT_EQ(Say(Image("i")), "i r -");
}

TEST_F(PresenceTest, WhoLeavesWhileTheRecordIsUnderWayIsTakenBackBehindIt) {
  const auto numbers = presence_.BringAlong(kChannel, RoleSet(kReceiver));
  presence_.Detach(kChannel, kReceiver);
  EXPECT_TRUE(presence_.empty());
  presence_.RecordWritten(kChannel, kReceiver, {.revision = 20, .said = true, .lasts = true});
  presence_.RecordAnswered(kChannel, RoleSet(kReceiver), numbers, true);
  EXPECT_EQ(Say(Image("i")), "i r -");
}

TEST_F(PresenceTest, WhoComesAgainWhileTheRecordFailsStays) {
  const auto numbers = presence_.BringAlong(kChannel, RoleSet(kReceiver));
  presence_.Attach(kChannel, kReceiver, 20);
  presence_.RecordAnswered(kChannel, RoleSet(kReceiver), numbers, false);
  EXPECT_EQ(Say(Image("i", "me")), "i r +");
}

TEST_F(PresenceTest, AWordThatNobodyWishesIsTakenBack) {
  presence_.Found(kChannel, kReceiver);
  EXPECT_EQ(Say(Image("i")), "i r -");
  presence_.Attach(kChannel, kReceiver, std::nullopt);
  EXPECT_EQ(Say(Image("i", "me")), "i r +");
  presence_.Found(kChannel, kReceiver);
  presence_.Found(kKey, kReceiver);
  EXPECT_TRUE(presence_.empty());
}

// Of which it is not known whose it was.
TEST_F(PresenceTest, AnUnknownChannelsWordIsNotTakenBackFromWhoAttaches) {
  presence_.Found(kKey, kReceiver);
  presence_.Attach(kNext, kReceiver, std::nullopt);
  EXPECT_EQ(Say(Image("j", "me")), "j r +");
}

TEST_F(PresenceTest, AStreamIsNewerThanTheWordsThatItsRelayKnew) {
  presence_.Attach(kChannel, kReceiver, 20);
  EXPECT_TRUE(presence_.IsNewer(kChannel, kReceiver, 20));
  EXPECT_FALSE(presence_.IsNewer(kChannel, kReceiver, 21));
  EXPECT_FALSE(presence_.IsNewer(kNext, kReceiver, 20));
  Say(Image("i", "another relay"));  // it was later
  EXPECT_FALSE(presence_.IsNewer(kChannel, kReceiver, 20));
  presence_.Attach(kChannel, kReceiver, 20);
  Say(Image("i", "me"));
  EXPECT_TRUE(presence_.IsNewer(kChannel, kReceiver, 19));
  EXPECT_FALSE(presence_.IsNewer(kChannel, kReceiver, 21));
  presence_.WriteAgain();
  EXPECT_FALSE(presence_.IsNewer(kChannel, kReceiver, 19));
}

// However many others change their words all the time.
TEST_F(PresenceTest, EachChannelHasItsTurn) {
  std::set<ChannelKey> heard;
  for (uint32_t id = 1; id <= 20; ++id) Attach(id);
  for (int turn = 0; turn < 5; ++turn) {
    for (const ChannelKey& key : presence_.NextPending(4, Idle)) {
      heard.insert(key);
      presence_.Take(key);
      Attach(key.id);
    }
  }
  EXPECT_EQ(heard.size(), 20u);
}

TEST_F(PresenceTest, WhoIsPassedOverIsAmongTheFirstOfTheNextTurn) {
  for (const uint32_t id : {1, 2, 3}) Attach(id);
  const auto two_is_busy = [](const ChannelKey& key) { return key.id == 2; };
  EXPECT_THAT(presence_.NextPending(2, two_is_busy), ElementsAre(Key(1), Key(3)));
  EXPECT_TRUE(presence_.PassedOver(Key(2)));
  EXPECT_FALSE(presence_.PassedOver(Key(3)));
  EXPECT_THAT(presence_.NextPending(1, Idle), ElementsAre(Key(2)));
  EXPECT_FALSE(presence_.PassedOver(Key(2)));
}

TEST_F(PresenceTest, WhoIsPassedOverForWantOfRoomStaysSo) {
  for (const uint32_t id : {1, 2, 3}) Attach(id);
  EXPECT_THAT(presence_.NextPending(3, Busy), IsEmpty());
  EXPECT_THAT(presence_.NextPending(2, Idle), ElementsAre(Key(1), Key(2)));
  EXPECT_TRUE(presence_.PassedOver(Key(3)));
}

// Calls of the channel wait for the word no more.
TEST_F(PresenceTest, AWordThatHasGoneIsPassedOverNoMore) {
  Attach(1);
  presence_.NextPending(1, Busy);
  EXPECT_TRUE(presence_.PassedOver(Key(1)));
  presence_.Drop(Key(1));
  EXPECT_FALSE(presence_.PassedOver(Key(1)));
  EXPECT_THAT(presence_.NextPending(1, Idle), IsEmpty());
}

TEST_F(PresenceTest, WithTheChannelItsWordsAreGone) {
  presence_.Attach(kChannel, kInitiator, std::nullopt);
  const auto numbers = presence_.BringAlong(kNext, RoleSet(kReceiver));
  presence_.Drop(kKey);
  EXPECT_TRUE(presence_.empty());
  presence_.RecordAnswered(kNext, RoleSet(kReceiver), numbers, false);
  EXPECT_EQ(Say(Image("j")), "j r -");
}

}  // namespace
}  // namespace wormhole::relay
