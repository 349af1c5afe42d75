#include "relay/store/etcd/availability.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

// Two endpoints.
class AvailabilityTest : public ::testing::Test {
 protected:
  void Fail() { etcd_.Failed(absl::UnavailableError("away"), now_); }
  void Refuse() { etcd_.Failed(absl::ResourceExhaustedError("full"), now_); }
  // How long after now the first batch may go.
  absl::Duration Pause() const {
    absl::Duration pause;
    while (!etcd_.MayTry(now_ + pause)) pause += absl::Milliseconds(50);
    return pause;
  }

  absl::Duration now_ = absl::Hours(5);
  std::vector<std::string> told_;
  EtcdAvailability etcd_{2, TroubleReport([this](const absl::Status& status) {
                           told_.push_back(std::string(status.message()));
                         })};
};

TEST_F(AvailabilityTest, TriesTheNextEndpointAtOnceAndThenLessAndLessOften) {
  EXPECT_FALSE(etcd_.failing());
  std::vector<int> pauses;
  for (int i = 0; i < 8; ++i) {
    Fail();
    pauses.push_back(static_cast<int>(absl::ToInt64Milliseconds(Pause())));
  }
  EXPECT_THAT(pauses, ElementsAre(0, 0, 100, 200, 400, 800, 1000, 1000));
  etcd_.Worked(/*wrote=*/false);
  EXPECT_FALSE(etcd_.failing());
  EXPECT_EQ(Pause(), absl::ZeroDuration());
  EXPECT_EQ(told_.size(), pauses.size() + 1);
  EXPECT_THAT(told_, Contains("away").Times(pauses.size()));
  EXPECT_EQ(told_.back(), "");
}

TEST_F(AvailabilityTest, AnEtcdThatIsFullIsReadAndWrittenMoreSeldom) {
  for (int i = 0; i < 3; ++i) Refuse();
  EXPECT_TRUE(etcd_.full());
  EXPECT_TRUE(etcd_.MayTry(now_));
  EXPECT_FALSE(etcd_.MayWrite(now_));
  EXPECT_TRUE(etcd_.MayWrite(now_ + absl::Milliseconds(100)));
  etcd_.Worked(/*wrote=*/false);
  EXPECT_TRUE(etcd_.full()) << "a read does not show that it takes writes";
  EXPECT_TRUE(etcd_.failing());
  etcd_.Worked(/*wrote=*/true);
  EXPECT_FALSE(etcd_.full());
  EXPECT_TRUE(etcd_.MayWrite(now_));
}

TEST_F(AvailabilityTest, AnotherFailureShowsThatItIsNotFullAnyMore) {
  Refuse();
  Fail();
  EXPECT_FALSE(etcd_.full());
  EXPECT_TRUE(etcd_.failing());
}

TEST_F(AvailabilityTest, ProbesWhileItFailsAndOnceWhenItMay) {
  EXPECT_FALSE(etcd_.TakeProbe(now_));
  etcd_.ProbeSoon();
  EXPECT_TRUE(etcd_.TakeProbe(now_));
  EXPECT_FALSE(etcd_.TakeProbe(now_));
  Fail();
  EXPECT_TRUE(etcd_.TakeProbe(now_));
  EXPECT_TRUE(etcd_.TakeProbe(now_));
}

TEST_F(AvailabilityTest, AProbeWritesAndWaitsWhileEtcdIsFull) {
  for (int i = 0; i < 3; ++i) Refuse();
  etcd_.ProbeSoon();
  EXPECT_FALSE(etcd_.TakeProbe(now_));
  EXPECT_TRUE(etcd_.TakeProbe(now_ + absl::Milliseconds(100)));
}

// Else an etcd that has just come back would have one probe after another.
TEST_F(AvailabilityTest, WhatEtcdAnswersEndsTheProbesAndIsNotToldAsWorking) {
  Fail();
  etcd_.Answered(/*wrote=*/false);
  EXPECT_FALSE(etcd_.failing());
  EXPECT_FALSE(etcd_.TakeProbe(now_));
  etcd_.NotYet(absl::UnavailableError("not sure of the time"));
  EXPECT_FALSE(etcd_.failing());
  EXPECT_FALSE(etcd_.TakeProbe(now_));
  EXPECT_THAT(told_, ElementsAre("away", "not sure of the time"));
  etcd_.Worked(/*wrote=*/false);
  EXPECT_THAT(told_, ElementsAre("away", "not sure of the time", ""));
}

TEST_F(AvailabilityTest, LooksForOverdueCallsNowAndThenWhileItFails) {
  EXPECT_FALSE(etcd_.TakeOverdueCheck(now_, /*held=*/false));
  Fail();
  EXPECT_TRUE(etcd_.TakeOverdueCheck(now_, /*held=*/false));
  EXPECT_FALSE(etcd_.TakeOverdueCheck(now_ + absl::Milliseconds(99), /*held=*/false));
  EXPECT_TRUE(etcd_.TakeOverdueCheck(now_ + absl::Milliseconds(100), /*held=*/false));
}

TEST_F(AvailabilityTest, LooksForOverdueCallsThatAreHeldBack) {
  EXPECT_TRUE(etcd_.TakeOverdueCheck(now_, /*held=*/true));
  EXPECT_FALSE(etcd_.TakeOverdueCheck(now_ + absl::Milliseconds(99), /*held=*/true));
}

}  // namespace
}  // namespace wormhole::relay
