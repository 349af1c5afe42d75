// A channel that posts more than it may is read more slowly, and loses nothing.
#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "relay/channel/post_budget.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::MOOD_HAPPY;

// With what it costs beside its bytes, each takes a quarter of a second.
constexpr uint64_t kTaken = 64 << 10;
constexpr uint64_t kRate = 4 * kTaken;
// A window of the largest frames, and the one that begins the debt.
constexpr uint64_t kBurst = 17;

class PaceTest : public SwitchboardPairTest {
 protected:
  PaceTest() { SetRate(kRate); }

  void SetRate(uint64_t rate) {
    options_.max_posted_bytes_per_second = rate;
    Restart();
    StartPair();
  }
  // Posts for as long as the relay reads, and the reader accepts. Returns the last number.
  uint64_t Flood(TestStream& author, TestStream& reader, uint64_t last = 0) {
    while (author.reads()) {
      author.Post(++last, frame_);
      Settle();
      reader.Ack(last);
      Settle();
    }
    return last;
  }
  void TickAfter(absl::Duration time) {
    Pass(time);
    Tick();
  }
  bool Paused(const TestStream& stream) const { return !stream.reads() && stream.Ended().empty(); }

  const std::string frame_ = std::string(kTaken - PostBudget::kFrameCost, 'x');
};

TEST_F(PaceTest, WhoPostsWithoutEndGetsItsRate) {
  uint64_t last = Flood(*anna_, *bert_);
  EXPECT_EQ(last, kBurst);
  for (int quarter = 0; quarter < 4 * 60; ++quarter) {
    TickAfter(absl::Milliseconds(250));
    anna_->Heard();
    bert_->Heard();
    last = Flood(*anna_, *bert_, last);
  }
  EXPECT_EQ(last, kBurst + 4 * 60);
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator).accepted, last) << "nothing is lost";
  EXPECT_TRUE(Paused(*anna_));
}

TEST_F(PaceTest, BothSidesShareIt) {
  uint64_t of_anna = Flood(*anna_, *bert_);
  uint64_t of_bert = 1;
  bert_->Post(of_bert, frame_);  // which had been asked for
  Settle();
  EXPECT_TRUE(Paused(*bert_));
  for (int quarter = 0; quarter < 4 * 60; ++quarter) {
    TickAfter(absl::Milliseconds(250));
    anna_->Heard();
    bert_->Heard();
    const bool reads[] = {anna_->reads(), bert_->reads()};
    if (reads[0]) anna_->Ack(of_bert).Post(++of_anna, frame_);
    if (reads[1]) bert_->Ack(of_anna).Post(++of_bert, frame_);
    Settle();
  }
  EXPECT_NEAR(of_anna + of_bert, kBurst + 4 * 60, 2);
  EXPECT_GT(of_bert, 4u * 60 / 3) << "neither keeps the other out";
  EXPECT_EQ(anna_->Ended() + bert_->Ended(), "");
}

// What an exchange posts at the most: two frames of a handshake and the largest data each way, and
// all of it again on another stream.
TEST_F(PaceTest, AnExchangeNeverWaits) {
  for (int times = 0; times < 2; ++times) {
    for (uint64_t number = 1; number <= 3; ++number) {
      for (TestStream* author : {anna_.get(), bert_.get()}) {
        author->Post(number, std::string(number == 3 ? options_.limits.max_frame_bytes : 100, 'x'));
        Settle();
        EXPECT_TRUE(author->reads());
      }
    }
    anna_ = Again("anna");
    bert_ = Again("bert");
    Settle();
  }
}

TEST_F(PaceTest, AWholeWindowEachWayIsReadAtOnceButForTheSecond) {
  const std::string frame(options_.limits.window_bytes / options_.limits.window_frames, 'x');
  for (uint64_t number = 1; number <= options_.limits.window_frames; ++number) {
    anna_->Post(number, frame);
    Settle();
    EXPECT_TRUE(anna_->reads()) << number;
  }
  bert_->Post(1, frame);
  Settle();
  EXPECT_TRUE(Paused(*bert_));
}

TEST_F(PaceTest, ChannelsDoNotShareIt) {
  Flood(*anna_, *bert_);
  auto carl = Stream("carl");
  auto dora = Stream("dora");
  Pair(*carl, *dora);
  EXPECT_EQ(Flood(*carl, *dora), kBurst);
}

TEST_F(PaceTest, WhatFollowsAPostIsReadWithIt) {
  const uint64_t last = Flood(*anna_, *bert_);
  anna_->Heard();
  bert_->Heard();
  TickAfter(absl::Milliseconds(100));
  EXPECT_TRUE(Paused(*anna_));
  bert_->Ack(last);
  bert_->Post(1, "b");
  Settle();
  EXPECT_EQ(anna_->Heard(), "message(1 b)") << "what is for it comes as ever";
  TickAfter(absl::Milliseconds(250));
  anna_->Close(MOOD_HAPPY);
  Settle();
  EXPECT_EQ(anna_->Ended(), "OK");
}

TEST_F(PaceTest, WhatIsPostedAgainCountsAsWell) {
  uint64_t posts = 0;
  for (; anna_->reads(); ++posts) {
    anna_->Post(1, frame_);
    Settle();
  }
  EXPECT_EQ(posts, kBurst);
}

// Its heartbeats are not read.
TEST_F(PaceTest, WhoWaitsIsNotSilent) {
  SetRate(kTaken / 100);
  Flood(*anna_, *bert_);
  const absl::Duration silence = 2.5 * options_.heartbeat;
  TickAfter(silence);
  bert_->Heartbeat();
  TickAfter(absl::Seconds(25));
  EXPECT_TRUE(Paused(*anna_));
  TickAfter(absl::Seconds(25));
  EXPECT_TRUE(anna_->reads());
  bert_->Heartbeat();
  TickAfter(silence);
  EXPECT_EQ(anna_->Ended(), "");
  bert_->Heartbeat();
  TickAfter(absl::Milliseconds(1));
  EXPECT_EQ(anna_->Ended(), "UNAVAILABLE") << "from then on it could be heard";
}

TEST_F(PaceTest, WhoComesBackFindsTheBudgetThatItLeft) {
  const uint64_t last = Flood(*anna_, *bert_);
  anna_->Detach();
  EXPECT_NE(bert_->Heard().find("peer(detached"), std::string::npos);
  anna_ = Again("anna");
  Settle();
  EXPECT_EQ(anna_->Heard(), Opened("stored=17 peer=attached:0-0 cursor=17"));
  EXPECT_TRUE(Paused(*anna_));
  auto another = Again("anna");
  EXPECT_EQ(anna_->Ended(), "ABORTED SUPERSEDED");
  EXPECT_TRUE(Paused(*another));
  TickAfter(absl::Milliseconds(250));
  EXPECT_EQ(Flood(*another, *bert_, last), last + 1);
}

TEST_F(PaceTest, SoDoBothWhenNobodyWasThere) {
  Flood(*anna_, *bert_);
  anna_->Detach();
  bert_->Detach();
  Settle();
  for (int n = 0; n < 3; ++n) {
    auto again = Again("anna");
    Settle();
    EXPECT_TRUE(Paused(*again));
    again->Detach();
    Tick();
  }
  TickAfter(absl::Seconds(1));
  auto again = Again("anna");
  Settle();
  EXPECT_TRUE(again->reads());
}

TEST_F(PaceTest, ALongAbsenceFillsItAndNoMore) {
  const uint64_t last = Flood(*anna_, *bert_);
  TickAfter(absl::Seconds(4));
  bert_->Detach();
  anna_->Detach();
  TickAfter(absl::Hours(0.5));
  anna_ = Again("anna");
  bert_ = Again("bert");
  Settle();
  EXPECT_EQ(Flood(*anna_, *bert_, last), last + kBurst);
}

TEST_F(PaceTest, AStoreThatIsAwayEndsWhoWaits) {
  Flood(*anna_, *bert_);
  store_.set_away(true);
  bert_->Post(1, "b");
  Settle();
  EXPECT_EQ(anna_->Ended(), "UNAVAILABLE STORE_AWAY");
  EXPECT_EQ(bert_->Ended(), "UNAVAILABLE STORE_AWAY");
  store_.set_away(false);
  Tick();
  anna_ = Again("anna");
  Settle();
  EXPECT_TRUE(Paused(*anna_));
  TickAfter(absl::Milliseconds(300));
  EXPECT_TRUE(anna_->reads());
}

TEST_F(PaceTest, ADrainEndsWhoWaits) {
  Flood(*anna_, *bert_);
  anna_->Heard();
  switchboard_->Drain();
  EXPECT_EQ(anna_->Heard(), "draining");
  EXPECT_EQ(anna_->Ended(), "UNAVAILABLE DRAINING");
  TickAfter(absl::Seconds(1));
}

TEST_F(PaceTest, AChannelThatEndsEndsWhoWaits) {
  Flood(*anna_, *bert_);
  bert_->Close(rendezvous::v1::MOOD_SCARY);
  Settle();
  EXPECT_EQ(anna_->Ended(), "NOT_FOUND CLOSED MOOD_SCARY");
  TickAfter(absl::Seconds(1));
}

TEST_F(PaceTest, ANewProcessBeginsWithAFullBudget) {
  const uint64_t last = Flood(*anna_, *bert_);
  anna_->Detach();
  bert_->Detach();
  Restart();
  anna_ = Again("anna");
  bert_ = Again("bert");
  Settle();
  EXPECT_EQ(Flood(*anna_, *bert_, last), last + kBurst);
}

TEST_F(PaceTest, WithoutALimitNobodyWaits) {
  SetRate(0);
  for (uint64_t number = 1; number <= 1000; ++number) {
    anna_->Post(number, frame_);
    Settle();
    bert_->Ack(number);
    Settle();
    ASSERT_TRUE(anna_->reads());
  }
}

}  // namespace
}  // namespace wormhole::relay
