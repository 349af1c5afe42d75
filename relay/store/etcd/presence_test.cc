#include "relay/store/etcd/presence.h"

#include <string>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

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
ChannelImage Image(const std::string& initiator, const std::string& receiver_at = "") {
  ChannelImage image;
  ChannelRecord record;
  record.version = 1;
  record.member(kInitiator).side = initiator;
  image.record.Take(10, record);
  if (!receiver_at.empty()) image.presence(kReceiver).Take(20, receiver_at);
  return image;
}

class PresenceTest : public ::testing::Test {
 protected:
  // Says all that is open of the channel; `image` is what is known of it afterwards.
  std::string Say(const ChannelImage& image) {
    const EtcdCalls calls = presence_.Take(kKey);
    presence_.Finish(kKey, calls, {}, image, "me");
    return Words(calls);
  }

  EtcdPresence presence_;
};

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
  presence_.SayAgain();
  EXPECT_EQ(Say(Image("j", "me")), "j r again");  // the other channel is over
}

TEST_F(PresenceTest, ARecordBringsItsWordsAlong) {
  const auto numbers = presence_.Bring(kChannel, BitOf(kReceiver));
  EXPECT_TRUE(presence_.empty());
  presence_.Brought(kChannel, kReceiver, {.revision = 20, .said = true, .lasts = true});
  presence_.Landed(kChannel, BitOf(kReceiver), numbers, true);
  EXPECT_TRUE(presence_.empty());
  presence_.SayAgain();
  EXPECT_EQ(Say(Image("i", "me")), "i r again");
}

TEST_F(PresenceTest, ARecordThatHadNoLeaseForThemHasThemSaidLater) {
  const auto numbers = presence_.Bring(kChannel, BitOf(kReceiver));
  presence_.Brought(kChannel, kReceiver, {.revision = 20});
  presence_.Landed(kChannel, BitOf(kReceiver), numbers, true);
  EXPECT_EQ(Say(Image("i", "me")), "i r +");
}

// It may have been put all the same, or may yet be.
TEST_F(PresenceTest, ARecordThatIsNotPutLeavesNoWord) {
  const auto numbers = presence_.Bring(kChannel, BitOf(kReceiver));
  presence_.Landed(kChannel, BitOf(kReceiver), numbers, false);
  EXPECT_EQ(Say(Image("i")), "i r -");
}

TEST_F(PresenceTest, WhoLeavesWhileTheRecordIsUnderWayIsTakenBackBehindIt) {
  const auto numbers = presence_.Bring(kChannel, BitOf(kReceiver));
  presence_.Detach(kChannel, kReceiver);
  EXPECT_TRUE(presence_.empty());
  presence_.Brought(kChannel, kReceiver, {.revision = 20, .said = true, .lasts = true});
  presence_.Landed(kChannel, BitOf(kReceiver), numbers, true);
  EXPECT_EQ(Say(Image("i")), "i r -");
}

TEST_F(PresenceTest, WhoComesAgainWhileTheRecordFailsStays) {
  const auto numbers = presence_.Bring(kChannel, BitOf(kReceiver));
  presence_.Attach(kChannel, kReceiver, 20);
  presence_.Landed(kChannel, BitOf(kReceiver), numbers, false);
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
  presence_.SayAgain();
  EXPECT_FALSE(presence_.IsNewer(kChannel, kReceiver, 19));
}

TEST_F(PresenceTest, WithTheChannelItsWordsAreGone) {
  presence_.Attach(kChannel, kInitiator, std::nullopt);
  const auto numbers = presence_.Bring(kNext, BitOf(kReceiver));
  presence_.Drop(kKey);
  EXPECT_TRUE(presence_.empty());
  presence_.Landed(kNext, BitOf(kReceiver), numbers, false);
  EXPECT_EQ(Say(Image("j")), "j r -");
}

}  // namespace
}  // namespace wormhole::relay
