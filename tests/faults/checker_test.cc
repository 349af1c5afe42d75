// The checker catches each kind of wrong, and only that.
#include "tests/faults/checker.h"

#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::faults {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class CheckerTest : public ::testing::Test {
 protected:
  // Lines without their times, which follow the order here.
  void Log(const std::vector<std::string>& texts) {
    std::ofstream file(path_, std::ios::app);
    for (const std::string& text : texts) file << ++time_ << " " << text << "\n";
  }
  Verdict Judge() { return Check(ReadLogs({path_})); }

  // Both sides of exchange 1 have begun, on the wire as well: each has posted a frame and read the
  // peer's.
  void Begin() {
    Log({"app 1 i started hi", "app 1 r started hr", "wire s1 open si allocate 0",
         "wire s1 opened 7/9 0 0 0", "wire s1 post 1 f1", "wire s1 posted 1",
         "wire s2 open sr claim 0", "wire s2 opened 7/9 0 1 0", "wire s2 message 1 f1",
         "wire s2 post 1 g1", "wire s2 posted 1", "wire s1 message 1 g1"});
  }
  void End() { Log({"app 1 i got hr", "app 1 r got hi", "wire s1 close 1", "wire s2 close 1"}); }

 private:
  const std::string path_ = ::testing::TempDir() + "/checker." +
                            ::testing::UnitTest::GetInstance()->current_test_info()->name();
  int time_ = 100;
};

TEST_F(CheckerTest, AnExchangeThatWentWellIsFinished) {
  Begin();
  End();
  const Verdict verdict = Judge();
  EXPECT_TRUE(verdict.clean()) << verdict;
  EXPECT_EQ(verdict.finished, 1);
  EXPECT_EQ(verdict.failed, 0);
  EXPECT_EQ(verdict.posted, 2);
  EXPECT_EQ(verdict.most_guesses, 1);
}

TEST_F(CheckerTest, TypedFailuresOfBothSidesAreOneFailedExchange) {
  Begin();
  Log({"app 1 i failed 3", "app 1 r failed 9"});
  const Verdict verdict = Judge();
  EXPECT_TRUE(verdict.clean()) << verdict;
  EXPECT_EQ(verdict.failed, 1);
  EXPECT_EQ(verdict.finished, 0);
  EXPECT_THAT(verdict.reasons, ElementsAre(Pair(3, 1), Pair(9, 1)));
}

TEST_F(CheckerTest, AFailureOfOneSideIsOneFailedExchange) {
  Begin();
  Log({"app 1 i got hr", "app 1 r failed 3"});
  EXPECT_EQ(Judge().failed, 1);
}

TEST_F(CheckerTest, ASideWithoutAnEndIsLost) {
  Begin();
  Log({"app 1 i got hr"});
  EXPECT_EQ(Judge().lost, 1);
  EXPECT_EQ(Judge().finished, 0);
}

TEST_F(CheckerTest, AReceiverThatNeverBeganNeedsAReason) {
  Log({"app 1 i started hi", "app 2 i started hi", "app 2 i failed 4"});
  EXPECT_EQ(Judge().lost, 1);
  EXPECT_EQ(Judge().failed, 1);
}

TEST_F(CheckerTest, AFailureWithoutAReasonIsLost) {
  Begin();
  Log({"app 1 i got hr", "app 1 r failed 0"});
  EXPECT_EQ(Judge().lost, 1);
}

TEST_F(CheckerTest, DataThatIsGivenTwiceInOneProcess) {
  Begin();
  End();
  Log({"app 1 i got hr"});
  EXPECT_EQ(Judge().delivered_twice, 1);
}

TEST_F(CheckerTest, DataMayBeGivenAgainAfterARestore) {
  Begin();
  End();
  Log({"app 1 i restored", "app 1 i got hr"});
  EXPECT_TRUE(Judge().clean()) << Judge();
}

TEST_F(CheckerTest, OtherDataAfterARestoreIsNotTheSameDelivery) {
  Begin();
  End();
  Log({"app 1 i restored", "app 1 i got hx"});
  EXPECT_EQ(Judge().delivered_twice, 1);
}

TEST_F(CheckerTest, DataOfAnotherExchange) {
  Begin();
  Log({"app 2 i started h2", "app 2 r started h3", "app 1 i got hr", "app 1 r got h2",
       "app 2 i got h3", "app 2 r got h2"});
  EXPECT_EQ(Judge().paired_wrongly, 1);
}

TEST_F(CheckerTest, AnAcknowledgedFrameThatIsGoneForItsAuthor) {
  Begin();
  Log({"wire s3 open si resume 1", "wire s3 opened 7/9 0 1 0"});
  EXPECT_EQ(Judge().acknowledged_missing, 1);
}

TEST_F(CheckerTest, AnAcknowledgedFrameThatIsGoneForItsReader) {
  Begin();
  Log({"wire s3 open sr resume 0", "wire s3 opened 7/9 1 0 0"});
  EXPECT_EQ(Judge().acknowledged_missing, 1);
}

TEST_F(CheckerTest, WhatWasAcknowledgedAfterTheStreamBeganMayBeNewerThanItsOpened) {
  Begin();
  Log({"wire s3 open si resume 1", "wire s1 post 2 f2", "wire s1 posted 2",
       "wire s3 opened 7/9 1 1 0", "wire s2 message 2 f2"});
  End();
  EXPECT_TRUE(Judge().clean()) << Judge();
}

TEST_F(CheckerTest, AGapInWhatIsRead) {
  Begin();
  Log({"wire s1 post 2 f2", "wire s1 post 3 f3", "wire s2 message 3 f3"});
  EXPECT_EQ(Judge().acknowledged_missing, 1);
}

TEST_F(CheckerTest, AFrameThatWasForgottenBeforeItWasAccepted) {
  Begin();
  Log({"wire s3 open sr resume 0", "wire s3 opened 7/9 1 1 1"});
  EXPECT_EQ(Judge().acknowledged_missing, 1);
}

TEST_F(CheckerTest, AFrameThatWasAcceptedMayBeForgotten) {
  Begin();
  Log({"wire s2 ack 1", "wire s3 open sr resume 1", "wire s3 opened 7/9 1 1 1"});
  End();
  EXPECT_TRUE(Judge().clean()) << Judge();
}

TEST_F(CheckerTest, AFinishedChannelWithAFrameThatWasNeverRead) {
  Begin();
  Log({"wire s1 post 2 f2", "wire s1 posted 2"});
  End();
  EXPECT_EQ(Judge().acknowledged_missing, 1);
}

TEST_F(CheckerTest, AChannelThatTheRelayDoesNotKnowAnyMore) {
  Begin();
  Log({"wire s3 open si resume 1", "wire s3 end 5 2"});
  EXPECT_EQ(Judge().acknowledged_missing, 1);
}

TEST_F(CheckerTest, AnotherChannelThanOnesOwn) {
  Begin();
  Log({"wire s3 open si resume 1", "wire s3 opened 8/9 1 1 0"});
  EXPECT_EQ(Judge().acknowledged_missing, 1);
}

TEST_F(CheckerTest, AFrameThatIsReadOtherThanItWasSent) {
  Begin();
  Log({"wire s1 post 2 f2", "wire s2 message 2 fx"});
  EXPECT_EQ(Judge().altered, 1);
}

TEST_F(CheckerTest, ANumberWithTwoContents) {
  Begin();
  Log({"wire s1 post 1 fx"});
  EXPECT_EQ(Judge().altered, 1);
}

TEST_F(CheckerTest, ANonceForTwoPlaintexts) {
  Begin();
  End();
  Log({"wire s1 post 2 f2 nonce", "wire s1 post 2 f2 nonce"});
  EXPECT_TRUE(Judge().clean()) << Judge();
  Log({"wire s2 post 2 g2 nonce"});
  EXPECT_EQ(Judge().nonces_reused, 1);
}

TEST_F(CheckerTest, ARefusalOfWhatIsByTheRules) {
  Begin();
  Log({"wire s1 post 2 f2", "wire s1 end 3 1"});
  EXPECT_EQ(Judge().refused, 1);
}

TEST_F(CheckerTest, AStreamThatIsSentAwayIsNoRefusal) {
  Begin();
  Log({"wire s1 end 14 17", "wire s2 end 10 11"});
  EXPECT_EQ(Judge().refused, 0);
}

TEST_F(CheckerTest, OnlyWhoHasLeftMayFindStrangersInItsChannel) {
  Begin();
  Log({"wire s1 end 7 8"});
  EXPECT_EQ(Judge().refused, 1);
  Log({"wire s2 close 1", "wire s2 end 7 8", "wire s1 end 7 8"});
  EXPECT_EQ(Judge().refused, 1);
}

TEST_F(CheckerTest, EachFirstFrameIsAGuess) {
  Begin();
  Log({"wire s3 open sr resume 0", "wire s3 opened 7/9 1 1 0", "wire s3 message 1 fx"});
  EXPECT_EQ(Judge().most_guesses, 2);
}

}  // namespace
}  // namespace wormhole::faults
