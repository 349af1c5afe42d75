// When a stream counts as lost, and when the next one is opened: heartbeats, losses, retries,
// delays, SUPERSEDED.
#include <algorithm>
#include <functional>

#include "client/core/testing/exchange_world.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using absl::Milliseconds;
using absl::Seconds;
using error::ErrorDetail;
using rendezvous::v1::Opened;

ExchangeConfig Patient(ExchangeConfig config) {
  config.timeout = absl::Hours(48);
  return config;
}

size_t Count(const Party& party, bool (rendezvous::v1::AttachRequest::*has)() const) {
  return std::count_if(party.sent.begin(), party.sent.end(),
                       [&](const auto& r) { return (r.*has)(); });
}

// --- Heartbeats.

TEST(ExchangeLinkTest, HeartbeatsEveryInterval) {
  World w;
  w.relay.on_opened = [](Opened& o) { o.mutable_heartbeat_interval()->set_seconds(7); };
  StartAlice(w);
  w.Run(Seconds(70));
  const size_t beats = Count(w.alice, &rendezvous::v1::AttachRequest::has_heartbeat);
  EXPECT_GE(beats, 9u);
  EXPECT_LE(beats, 11u);
  EXPECT_EQ(w.alice.opens.size(), 1u);
}

TEST(ExchangeLinkTest, AnAbsurdIntervalIsReplacedByTheDefault) {
  for (const int64_t seconds : {int64_t{0}, int64_t{-5}, int64_t{1} << 60}) {
    World w;
    w.relay.on_opened = [&](Opened& o) { o.mutable_heartbeat_interval()->set_seconds(seconds); };
    StartAlice(w);
    w.Run(Seconds(70));
    const size_t beats = Count(w.alice, &rendezvous::v1::AttachRequest::has_heartbeat);
    EXPECT_GE(beats, 3u);
    EXPECT_LE(beats, 4u);
  }
}

TEST(ExchangeLinkTest, SilenceIsALostStream) {
  World w;
  StartAlice(w);
  const absl::Duration heard = w.now();
  w.lose_response = [](const Party&, const auto&) { return true; };
  w.Run(Seconds(170), [&] { return w.alice.opens.size() == 2; });
  // Two and a half intervals, then at once.
  EXPECT_GE(w.now(), heard + Seconds(48));
  EXPECT_LE(w.now(), heard + Seconds(50));
  EXPECT_EQ(w.alice.drops, std::vector<bool>{true});
  w.lose_response = nullptr;
  StartBob(w);
  w.Run();
  EXPECT_TRUE(w.alice.finished() && w.bob.finished());
}

TEST(ExchangeLinkTest, AnOpenWithoutAnswerIsLostToo) {
  World w;
  w.lose_response = [](const Party&, const auto&) { return true; };
  StartAlice(w);
  w.Run(Seconds(14));
  EXPECT_EQ(w.alice.opens.size(), 1u);
  w.lose_response = nullptr;
  w.Run(Seconds(2));
  EXPECT_EQ(w.alice.opens.size(), 2u);
  EXPECT_EQ(w.alice.drops, std::vector<bool>{true});
  EXPECT_FALSE(w.alice.code.empty());
}

// Whoever has said something, be it nonsense, has a connection that lives.
TEST(ExchangeLinkTest, OnlySilenceMakesAConnectionSuspect) {
  World w;
  StartAlice(w);
  w.alice.Do(Received{FakeRelay::Response()});
  w.alice.LoseStream();
  EXPECT_EQ(w.alice.drops, std::vector<bool>{false});
}

// --- Losses and retries.

TEST(ExchangeLinkTest, ARelayThatAnswersHeartbeatsOnlyIsLostToo) {
  World w;
  w.lose_response = [](const Party&, const auto& r) { return r.has_opened(); };
  StartAlice(w);
  w.Run(Seconds(16));
  EXPECT_EQ(w.alice.opens.size(), 2u);
}

TEST(ExchangeLinkTest, AStreamLostAfterItsOpenedIsRetriedAtOnce) {
  World w;
  ExchangeConfig config = Patient(InitiatorConfig());
  config.schedule = {{absl::ZeroDuration(), Seconds(60)}};
  StartAlice(w, config);
  w.Run(Seconds(100));
  w.alice.LoseStream(absl::InternalError("RST_STREAM"));
  EXPECT_EQ(w.alice.opens.size(), 2u);
  EXPECT_EQ(w.alice.opens.back(), w.now());
  EXPECT_TRUE(w.alice.sent.back().open().has_resume());
  EXPECT_EQ(w.alice.sent.back().open().resume().channel_id(), 4u);
}

TEST(ExchangeLinkTest, ARelayThatEndsEachStreamIsNotBesieged) {
  World w;
  ExchangeConfig config = Patient(InitiatorConfig());
  config.schedule = {{absl::ZeroDuration(), Seconds(60)}};
  StartAlice(w, config);
  std::vector<absl::Duration> waits;
  for (int i = 0; i < 14; ++i) {
    w.Run(Milliseconds(50));  // Opened comes, and nothing else
    const absl::Duration lost = w.now();
    const size_t opens = w.alice.opens.size();
    w.alice.LoseStream();
    w.Run(Seconds(100), [&] { return w.alice.opens.size() > opens; });
    waits.push_back(w.alice.opens.back() - lost);
  }
  EXPECT_EQ(waits[0], absl::ZeroDuration());
  EXPECT_EQ(waits[1], Milliseconds(100));
  EXPECT_EQ(waits[2], Milliseconds(200));
  EXPECT_EQ(waits[9], Milliseconds(25'600));
  for (size_t i = 10; i < waits.size(); ++i) {
    EXPECT_GE(waits[i], Seconds(50));
    EXPECT_LE(waits[i], Seconds(66));
  }
  // Something moves on: the next loss is retried at once.
  w.Run(Seconds(1));
  StartBob(w);
  w.Run(Seconds(1), [&] { return !w.alice.verifiers.empty(); });
  w.alice.LoseStream();
  EXPECT_EQ(w.alice.opens.back(), w.now());
}

TEST(ExchangeLinkTest, AFailedTryWaitsForTheSchedule) {
  World w;
  ExchangeConfig config = Patient(InitiatorConfig());
  config.schedule = {{absl::ZeroDuration(), Seconds(10)}, {Seconds(60), Seconds(600)}};
  w.relay_down = true;
  StartAlice(w, config);
  w.Run(absl::Hours(1));
  for (size_t i = 1; i < w.alice.opens.size(); ++i) {
    const absl::Duration wait = w.alice.opens[i] - w.alice.opens[i - 1];
    const bool early = w.alice.opens[i] <= Seconds(1061);
    EXPECT_GE(wait, early ? Seconds(0) : Seconds(540));
    EXPECT_LE(wait, early ? Seconds(12) : Seconds(661));
  }
  EXPECT_GE(w.alice.opens.size(), 10u);
  EXPECT_LE(w.alice.opens.size(), 15u);
}

TEST(ExchangeLinkTest, AnOpenedWhoseAnswerIsLostIsRepeatedByAllocate) {
  World w;
  bool lost = false;
  w.lose_response = [&](const Party&, const FakeRelay::Response& r) {
    return r.has_opened() && !std::exchange(lost, true);
  };
  w.alice.Create(InitiatorConfig());
  w.alice.Start();
  w.Run(Milliseconds(100));
  w.alice.LoseStream();
  w.Run(Seconds(2));
  EXPECT_TRUE(w.alice.sent[1].open().has_allocate());
  EXPECT_EQ(w.alice.code.substr(0, 2), "4-");  // idempotent by side
  StartBob(w);
  w.Run();
  EXPECT_TRUE(w.alice.finished());
}

TEST(ExchangeLinkTest, DelaysOfTheRelayAreRespected) {
  for (const auto reason :
       {ErrorDetail::REASON_BUSY, ErrorDetail::REASON_STORE_AWAY, ErrorDetail::REASON_DRAINING}) {
    World w;
    int refusals = 0;
    w.refuse_open = [&]() -> std::optional<absl::Status> {
      if (++refusals > 3) return std::nullopt;
      return error::Make(reason, "later", {.retry_delay = Seconds(7)});
    };
    StartAlice(w);
    w.Run(Seconds(30));
    ASSERT_EQ(w.alice.opens.size(), 4u);
    for (int i = 1; i < 4; ++i) {
      EXPECT_EQ(w.alice.opens[i] - w.alice.opens[i - 1], Seconds(7) + w.latency);
    }
    EXPECT_FALSE(w.alice.code.empty());
  }
}

TEST(ExchangeLinkTest, AnAbsurdDelayDoesNotSpin) {
  for (const absl::Duration delay : {absl::ZeroDuration(), -Seconds(5), absl::Nanoseconds(1)}) {
    World w;
    w.refuse_open = [&] {
      return error::Make(ErrorDetail::REASON_BUSY, "x", {.retry_delay = delay});
    };
    StartAlice(w);
    w.Run(Seconds(10));
    EXPECT_LE(w.alice.opens.size(), 111u);
  }
}

TEST(ExchangeLinkTest, DrainingTellsWhenToComeBack) {
  World w;
  ExchangeConfig config = InitiatorConfig();
  config.schedule = {{absl::ZeroDuration(), Seconds(60)}};
  StartAlice(w, config);
  FakeRelay::Response draining;
  draining.mutable_draining()->mutable_reconnect_delay()->set_seconds(3);
  w.alice.Do(Received{draining});
  EXPECT_TRUE(w.alice.has_stream());  // until the relay ends it
  w.alice.LoseStream();
  w.Run(Seconds(10));
  ASSERT_EQ(w.alice.opens.size(), 2u);
  EXPECT_EQ(w.alice.opens[1] - w.alice.opens[0], Seconds(4));
}

// What ends the stream says less than the relay's word to all of its clients.
TEST(ExchangeLinkTest, DrainingHoldsWhateverEndsTheStream) {
  const absl::Status superseded = error::Make(ErrorDetail::REASON_SUPERSEDED, "x");
  const absl::Status soon =
      error::Make(ErrorDetail::REASON_DRAINING, "x", {.retry_delay = Milliseconds(200)});
  const absl::Status final = error::Make(ErrorDetail::REASON_CONFLICT, "x");  // comes to close
  FakeRelay::Response nonsense;
  nonsense.mutable_posted()->set_number(99);
  FakeRelay::Response gap;
  gap.mutable_message()->set_number(2);
  using End = std::function<void(Party&)>;
  for (const End& end :
       {End([&](Party& p) { p.LoseStream(superseded); }),
        End([&](Party& p) { p.LoseStream(soon); }), End([&](Party& p) { p.LoseStream(final); }),
        End([&](Party& p) { p.Do(Received{nonsense}); }),
        End([&](Party& p) { p.Do(Received{gap}); })}) {
    World w;
    StartAlice(w);
    FakeRelay::Response draining;
    draining.mutable_draining()->mutable_reconnect_delay()->set_seconds(3);
    w.alice.Do(Received{draining});
    end(w.alice);
    w.Run(Seconds(10), [&] { return w.alice.opens.size() > 1; });
    ASSERT_EQ(w.alice.opens.size(), 2u);
    EXPECT_EQ(w.alice.opens[1] - w.alice.opens[0], Seconds(4));
  }
  // A longer word counts.
  World w;
  StartAlice(w);
  FakeRelay::Response draining;
  draining.mutable_draining()->mutable_reconnect_delay()->set_seconds(3);
  w.alice.Do(Received{draining});
  w.alice.LoseStream(error::Make(ErrorDetail::REASON_BUSY, "x", {.retry_delay = Seconds(5)}));
  w.Run(Seconds(10));
  EXPECT_EQ(w.alice.opens[1] - w.alice.opens[0], Seconds(6));
  // And it is that one stream's.
  w.alice.LoseStream();
  w.Run(Milliseconds(200));
  EXPECT_TRUE(w.alice.has_stream());
}

// A relay that asks twice does not take back what it has asked for first.
TEST(ExchangeLinkTest, OfTwoDelaysTheLongerHolds) {
  World w;
  StartAlice(w);
  for (const int seconds : {3, 0}) {
    FakeRelay::Response draining;
    draining.mutable_draining()->mutable_reconnect_delay()->set_seconds(seconds);
    w.alice.Do(Received{draining});
  }
  w.alice.LoseStream();
  w.Run(Seconds(10), [&] { return w.alice.opens.size() > 1; });
  EXPECT_EQ(w.alice.opens[1] - w.alice.opens[0], Seconds(4));
}

// In check-in mode the next tick waits for it too.
TEST(ExchangeLinkTest, DrainingHoldsForOneThatDetaches) {
  World w;
  ExchangeConfig config = Patient(InitiatorConfig());
  config.check_in = true;
  config.schedule = {{absl::ZeroDuration(), Seconds(1)}};
  w.relay.hold_posted = true;
  StartAlice(w, config);
  ASSERT_TRUE(w.alice.has_stream());
  FakeRelay::Response draining, posted;
  draining.mutable_draining()->mutable_reconnect_delay()->set_seconds(30);
  posted.mutable_posted()->set_number(1);
  w.alice.Do(Received{draining});
  w.alice.Do(Received{posted});
  EXPECT_FALSE(w.alice.has_stream());
  w.Run(Seconds(60), [&] { return w.alice.opens.size() > 1; });
  EXPECT_GE(w.alice.opens[1] - w.alice.opens[0], Seconds(31));
}

// --- SUPERSEDED.

TEST(ExchangeLinkTest, TheTenthSupersededEndsItWithoutClosing) {
  World w;
  StartAlice(w);
  for (int i = 0; i < 9; ++i) {
    w.alice.LoseStream(error::Make(ErrorDetail::REASON_SUPERSEDED, "x"));
    EXPECT_FALSE(w.alice.has_stream());
    w.Run(Seconds(2));
    EXPECT_TRUE(w.alice.has_stream());
    EXPECT_FALSE(w.alice.over);
  }
  w.alice.LoseStream(error::Make(ErrorDetail::REASON_SUPERSEDED, "x"));
  EXPECT_TRUE(w.alice.over);
  EXPECT_EQ(w.alice.failure().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kInUseElsewhere);
  w.Run();
  EXPECT_TRUE(w.relay.closes.empty());
  // The state is not spoilt by it.
  w.alice.failures.clear();
  ASSERT_TRUE(w.alice.Restore(w.alice.exchange()->Serialize()).ok());
  w.alice.Start();
  StartBob(w);
  w.Run();
  EXPECT_TRUE(w.alice.finished());
}

TEST(ExchangeLinkTest, ProgressResetsTheCount) {
  World w;
  StartAlice(w);
  for (int i = 0; i < 9; ++i) {
    w.alice.LoseStream(error::Make(ErrorDetail::REASON_SUPERSEDED, "x"));
    w.Run(Seconds(2));
  }
  ExchangeConfig bob = ReceiverConfig(w.alice.code);
  bob.confirm_verifier = true;
  w.bob.Create(bob);
  w.bob.Start();
  w.Run(Seconds(1));
  for (int i = 0; i < 9; ++i) {
    w.alice.LoseStream(error::Make(ErrorDetail::REASON_SUPERSEDED, "x"));
    w.Run(Seconds(2));
    EXPECT_FALSE(w.alice.over);
  }
}

// Two processes with one state: both end, and the channel is not closed.
TEST(ExchangeLinkTest, TwoCopiesOfOneStateFightNoLongerThanTen) {
  World w;
  w.alice.Create(Patient(InitiatorConfig()));
  w.alice.Start();
  w.Run(Seconds(1));
  ASSERT_TRUE(w.bob.Restore(w.alice.saves.back()).ok());
  w.bob.Start();
  w.Run(Seconds(120));
  EXPECT_EQ(ReasonOf(w.alice.over ? w.alice.failure() : w.bob.failure()), Reason::kInUseElsewhere);
  EXPECT_NE(w.alice.over, w.bob.over);
  EXPECT_TRUE(w.relay.closes.empty());
}

}  // namespace
}  // namespace wormhole::core
