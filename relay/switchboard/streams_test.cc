// Silence, draining, a store that is away, streams that go.
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::MOOD_HAPPY;

using Streams = SwitchboardPairTest;

TEST_F(Streams, SilenceOfTwoAndAHalfHeartbeatsEndsAStream) {
  Pass(2.5 * options_.heartbeat);
  bert_->Heartbeat();
  Tick();
  EXPECT_EQ(anna_->Ended(), "");
  Pass(absl::Milliseconds(1));
  Tick();
  EXPECT_EQ(anna_->Ended(), "UNAVAILABLE");
  EXPECT_EQ(bert_->Ended(), "");
  EXPECT_EQ(bert_->Heard(), "heartbeat peer(detached cursor=0 third=0)");
}

TEST_F(Streams, SilenceBeforeOpenAndWhileWaitingToo) {
  auto mute = Stream("mute");
  auto waiting = Stream("waiting");
  waiting->Wait(99);
  Settle();
  Pass(2.5 * options_.heartbeat + absl::Milliseconds(1));
  Tick();
  EXPECT_EQ(mute->Ended(), "UNAVAILABLE");
  EXPECT_EQ(waiting->Ended(), "UNAVAILABLE");
  auto named = Stream("named");
  named->Allocate(99);
  Settle();
  EXPECT_EQ(named->Heard(), "opened(99 stored=0 peer=absent:0-0 cursor=0)");
}

TEST_F(Streams, AStreamThatDoesNotOpenInTimeIsEnded) {
  options_.open_timeout = absl::Seconds(10);
  Restart();
  const auto silent = Stream("anna");
  const auto waiting = Stream("bert");
  waiting->Wait(7);
  Pass(absl::Seconds(10));
  Tick();
  EXPECT_EQ(silent->Ended(), "");
  Pass(absl::Milliseconds(1));
  Tick();
  EXPECT_EQ(silent->Ended(), "UNAVAILABLE");
  EXPECT_EQ(waiting->Ended(), "");
}

TEST_F(Streams, AStreamWhoseClientDoesNotReadIsEndedAndResumed) {
  options_.write_timeout = absl::Seconds(30);
  Restart();
  auto anna = Stream("anna");
  auto bert = Stream("bert");
  const uint32_t id = Pair(*anna, *bert);
  bert->Stick(true);
  anna->Post(1, "frame");
  Settle();
  Tick();
  EXPECT_EQ(bert->Ended(), "UNAVAILABLE");
  EXPECT_EQ(anna->Ended(), "");
  auto again = Stream("bert");
  again->Resume(id);
  Settle();
  EXPECT_NE(again->Heard().find("message(1 frame)"), std::string::npos);
}

TEST_F(Streams, WhetherAClientReadsIsAskedTwiceInItsTime) {
  options_.write_timeout = absl::Seconds(30);
  Restart();
  const auto anna = Stream("anna");
  Tick();
  anna->Stick(true);
  Pass(absl::Seconds(14));
  Tick();
  EXPECT_EQ(anna->Ended(), "");
  Pass(absl::Seconds(1));
  Tick();
  EXPECT_EQ(anna->Ended(), "UNAVAILABLE");
}

TEST_F(Streams, HeartbeatsAreAnsweredAtOnce) {
  anna_->Heartbeat();
  EXPECT_EQ(anna_->Heard(), "heartbeat");
  EXPECT_EQ(store_.pending(), "");
}

TEST_F(Streams, DrainTellsEveryStreamAndRefusesNewOnes) {
  auto waiting = Stream("waiting");
  waiting->Wait(99);
  auto fresh = Stream("fresh");
  Settle();
  anna_->Post(1, "a");
  switchboard_->Drain();
  EXPECT_EQ(fresh->Ended(), "UNAVAILABLE DRAINING");
  EXPECT_EQ(fresh->Heard(), "") << "the first word to a client is Opened";
  for (TestStream* stream : {anna_.get(), bert_.get(), waiting.get()}) {
    EXPECT_EQ(stream->Ended(), "UNAVAILABLE DRAINING");
    EXPECT_EQ(Describe(stream->last()), "draining");
    const auto detail = *error::DetailOf(stream->status());
    EXPECT_EQ(detail.retry_delay().seconds(),
              stream->last().draining().reconnect_delay().seconds());
    EXPECT_EQ(detail.retry_delay().nanos(), stream->last().draining().reconnect_delay().nanos());
  }
  Settle();
  EXPECT_EQ(Stored(id_)->log(Role::kInitiator).stored, 1u) << "what was under way is stored";
  auto late = Stream("late");
  late->Allocate();
  EXPECT_EQ(late->Ended(), "UNAVAILABLE DRAINING");
  auto mute = Stream("mute");
  Tick();
  EXPECT_EQ(mute->Ended(), "UNAVAILABLE DRAINING");
}

TEST_F(Streams, DelaysHaveJitter) {
  options_.retry_delay = absl::Seconds(100);
  Restart();
  std::set<int64_t> delays;
  std::vector<std::unique_ptr<TestStream>> streams;
  for (int i = 0; i < 20; ++i) streams.push_back(Stream("client" + std::to_string(i)));
  switchboard_->Drain();
  for (const auto& stream : streams) {
    ASSERT_EQ(stream->Ended(), "UNAVAILABLE DRAINING");
    const int64_t seconds = error::DetailOf(stream->status())->retry_delay().seconds();
    EXPECT_GE(seconds, 50);
    EXPECT_LE(seconds, 150);
    delays.insert(seconds);
  }
  EXPECT_GT(delays.size(), 10u);
}

// The client does not know the relay's interval before it is told, and the store may take longer.
TEST_F(Streams, WhoWaitsForOpenedIsNotSilent) {
  auto carl = Stream("carl");
  carl->Allocate();
  Pass(10 * options_.heartbeat);
  Tick();
  EXPECT_EQ(carl->Ended(), "");
  Settle();
  EXPECT_NE(carl->id(), 0u);
  Tick();
  EXPECT_EQ(carl->Ended(), "") << "nor was it while it waited";
  Pass(3 * options_.heartbeat);
  Tick();
  EXPECT_NE(carl->Ended(), "");
}

// A repeat is answered before more is read, and the store may take longer than the client has.
TEST_F(Streams, WhoseRequestsAreNotReadIsNotSilent) {
  anna_->Post(1, "a");
  Settle();
  anna_->Post(1, "a");
  for (int beat = 0; beat < 5; ++beat) {
    Pass(options_.heartbeat);
    bert_->Heartbeat();
    switchboard_->Tick();
    EXPECT_EQ(anna_->Ended(), "");
  }
  Settle();
  Pass(2.5 * options_.heartbeat);
  bert_->Heartbeat();
  Tick();
  EXPECT_EQ(anna_->Ended(), "");
  Pass(absl::Milliseconds(1));
  Tick();
  EXPECT_EQ(anna_->Ended(), "UNAVAILABLE") << "from then on it could be heard";
}

TEST_F(Streams, AnOldStreamIsToldToComeBack) {
  options_.max_stream_age = absl::Hours(1);
  Restart();
  auto anna = Again("anna");
  Settle();
  for (int minutes = 0; minutes < 54; ++minutes) {
    anna->Heartbeat();
    Tick();
    ASSERT_EQ(anna->Ended(), "");
    Pass(absl::Minutes(1));
  }
  Pass(absl::Minutes(12));
  anna->Heartbeat();
  Tick();
  EXPECT_EQ(anna->Ended(), "UNAVAILABLE DRAINING");
  EXPECT_EQ(Describe(anna->last()), "draining");
  // At once: nobody goes away.
  EXPECT_EQ(anna->last().draining().reconnect_delay().seconds(), 0);
  EXPECT_EQ(anna->last().draining().reconnect_delay().nanos(), 0);
  ASSERT_TRUE(error::DetailOf(anna->status())->has_retry_delay());
  EXPECT_EQ(error::DetailOf(anna->status())->retry_delay().seconds(), 0);
  EXPECT_EQ(error::DetailOf(anna->status())->retry_delay().nanos(), 0);
}

TEST_F(Streams, AStoreThatIsAwayEndsStreamsWithADelayAndNothingIsRemembered) {
  store_.set_away(true);
  auto carl = Stream("carl");
  carl->Claim(id_);
  auto dora = Stream("dora");
  dora->Claim(777);
  auto emil = Stream("emil");
  emil->Allocate();
  bert_->Ack(5);
  Settle();
  EXPECT_EQ(carl->Ended(), "ALREADY_EXISTS CROWDED") << "known without the store";
  EXPECT_EQ(dora->Ended(), "UNAVAILABLE STORE_AWAY");
  EXPECT_EQ(emil->Ended(), "UNAVAILABLE STORE_AWAY");
  EXPECT_EQ(anna_->Ended(), "UNAVAILABLE STORE_AWAY");
  EXPECT_TRUE(error::DetailOf(anna_->status())->has_retry_delay());
  store_.set_away(false);
  auto again = Again("anna");
  Settle();
  EXPECT_EQ(again->Ended(), "");
  auto emil_again = Stream("emil");
  emil_again->Allocate();
  Settle();
  EXPECT_NE(emil_again->id(), 0u);
}

TEST_F(Streams, ACommitOfACloseThatFails) {
  store_.set_away(true);
  anna_->Close(MOOD_HAPPY);
  Settle();
  EXPECT_EQ(anna_->Ended(), "UNAVAILABLE STORE_AWAY");
  store_.set_away(false);
  EXPECT_FALSE(Stored(id_)->record.member(Role::kInitiator).left);
}

TEST_F(Streams, DetachInEachState) {
  auto fresh = Stream("fresh");
  fresh->Detach();
  fresh->Detach();
  auto claiming = Stream("claiming");
  claiming->Claim(777);
  EXPECT_EQ(store_.pending(), "Load");
  claiming->Detach();
  auto waiting = Stream("waiting");
  waiting->Wait(778);
  waiting->Detach();
  Settle();
  auto resuming = Again("anna");
  resuming->Detach();
  Settle();
  bert_->Post(1, "b");
  bert_->Detach();
  Settle();
  EXPECT_EQ(Stored(id_)->log(Role::kReceiver).stored, 1u);
  auto loading = Again("anna");
  loading->Detach();
  Settle();
  EXPECT_EQ(store_.pending(), "");
}

TEST_F(Streams, TheSwitchboardMayGoBeforeItsStreamsAndAnswers) {
  anna_->Post(1, "a");
  auto carl = Stream("carl");
  carl->Allocate();
  switchboard_.reset();
  EXPECT_EQ(anna_->Ended(), "UNAVAILABLE STORE_AWAY");
  EXPECT_EQ(carl->Ended(), "UNAVAILABLE STORE_AWAY");
  Settle();
  EXPECT_EQ(anna_->Heard(), "");
  bert_->Post(1, "b");
  bert_->Detach();
  EXPECT_EQ(store_.pending(), "");
  Restart();
}

}  // namespace
}  // namespace wormhole::relay
