// What a restored exchange tells, and when it is too old (proto/PROTOCOL.md section 7).
#include <algorithm>

#include "client/core/testing/exchange_world.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using absl::Seconds;
using rendezvous::v1::Mood;
using rendezvous::v1::Opened;

// --- What a restored exchange tells.

TEST(ExchangeRestoreTest, TheCodeIsAnnouncedAgainUntilTheKeyIsConfirmed) {
  World w;
  w.alice.Create(InitiatorConfig());
  w.alice.Start();
  w.Run(Seconds(1));
  const std::string saved = w.alice.saves.back();
  w.alice.Crash();
  w.alice.trace.clear();
  ASSERT_TRUE(w.alice.Restore(saved).ok());
  w.alice.Start();
  EXPECT_EQ(w.alice.trace,
            (std::vector<std::string>{"Save", "CodeReady", "Progress", "OpenStream"}));
  w.bob.Create(ReceiverConfig(w.alice.code));
  w.bob.Start();
  w.Run(Seconds(5));
  EXPECT_EQ(std::count(w.alice.trace.begin(), w.alice.trace.end(), "CodeReady"), 1);
}

TEST(ExchangeRestoreTest, AfterTheKeyTheVerifierIsToldAgainAndTheCodeIsGone) {
  World w;
  ExchangeConfig config = InitiatorConfig();
  config.confirm_verifier = true;
  w.alice.Create(config);
  w.alice.Start();
  w.Run(Seconds(1));
  w.bob.Create(ReceiverConfig(w.alice.code));
  w.bob.Start();
  w.Run(Seconds(1));
  ASSERT_EQ(w.alice.verifiers.size(), 1u);
  const std::string saved = w.alice.saves.back();
  EXPECT_EQ(saved.find("words"), std::string::npos);
  EXPECT_EQ(saved.find("scalar"), std::string::npos);
  w.alice.Crash();
  w.alice.trace.clear();
  ASSERT_TRUE(w.alice.Restore(saved).ok());
  w.alice.Start();
  EXPECT_EQ(w.alice.trace,
            (std::vector<std::string>{"VerifierReady", "Save", "Progress", "OpenStream"}));
  EXPECT_EQ(w.alice.verifiers[0], w.alice.verifiers[1]);
  // An answer is remembered.
  w.alice.Do(AcceptVerifier{true});
  const std::string accepted = w.alice.exchange()->Serialize();
  w.alice.Crash();
  ASSERT_TRUE(w.alice.Restore(accepted).ok());
  w.alice.Start();
  w.Run();
  EXPECT_TRUE(w.alice.finished() && w.bob.finished());
}

// Whoever looks again after a restart, and sees a difference, is heard.
TEST(ExchangeRestoreTest, ANoAfterTheYesGivesUpWhatIsNotFinished) {
  World w;
  ExchangeConfig config = InitiatorConfig();
  config.confirm_verifier = true;
  w.alice.Create(config);
  w.alice.Start();
  w.Run(Seconds(1));
  config = ReceiverConfig(w.alice.code);
  config.confirm_verifier = true;
  w.bob.Create(config);
  w.bob.Start();
  w.Run(Seconds(1));
  w.alice.Do(AcceptVerifier{true});
  w.Run(Seconds(1));
  const std::string accepted = w.alice.exchange()->Serialize();
  w.alice.Crash();
  ASSERT_TRUE(w.alice.Restore(accepted).ok());
  w.alice.Start();
  w.alice.Do(AcceptVerifier{false});
  w.bob.Do(AcceptVerifier{true});
  w.Run();
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kCancelled);
  EXPECT_EQ(w.alice.failure().message().find("nothing was sent"), absl::string_view::npos);
  EXPECT_TRUE(w.alice.over && w.alice.data.empty());
  EXPECT_EQ(w.relay.closes, std::vector<Mood>{rendezvous::v1::MOOD_LONELY});
}

TEST(ExchangeRestoreTest, AFailedExchangeFailsTheSameWayAndClosesOn) {
  World w;
  w.alice.Create(InitiatorConfig());
  w.alice.Start();
  w.Run(Seconds(1));
  w.relay_down = true;
  w.alice.LoseStream();
  w.Run(Seconds(1));
  w.alice.Do(Cancel{});
  const absl::Status failure = w.alice.failure();
  const std::string state = w.alice.exchange()->Serialize();
  EXPECT_EQ(state.find("scalar"), std::string::npos);  // it will not be needed again
  w.alice.Crash();
  w.alice.failures.clear();
  w.relay_down = false;
  ASSERT_TRUE(w.alice.Restore(state).ok());
  w.alice.Start();
  EXPECT_EQ(w.alice.failure().code(), failure.code());
  EXPECT_EQ(w.alice.failure().message(), failure.message());
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kCancelled);
  w.Run();
  EXPECT_TRUE(w.alice.over);
  EXPECT_EQ(w.relay.closes, std::vector<Mood>{rendezvous::v1::MOOD_LONELY});
  // And once more, when all is over.
  w.alice.failures.clear();
  ASSERT_TRUE(w.alice.Restore(w.alice.exchange()->Serialize()).ok());
  w.alice.Start();
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kCancelled);
  EXPECT_TRUE(w.alice.over);
}

// --- The deadline.

TEST(ExchangeRestoreTest, TheDeadlineCountsFromTheFirstStart) {
  World w;
  w.alice.Create(InitiatorConfig());
  w.alice.Start();
  w.Run(Seconds(100));
  w.alice.Crash();
  w.Run(Seconds(1));
  const absl::Duration start = Seconds(1000);
  w.After(Seconds(50), [&] {
    ASSERT_TRUE(w.alice.Restore(w.alice.saves.back()).ok());
    w.alice.Start();
  });
  w.Run(Seconds(1000), [&] { return !w.alice.failures.empty(); });
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kTimeout);
  EXPECT_EQ(w.now(), start + Seconds(180));
}

TEST(ExchangeRestoreTest, PastTheDeadlineItFailsAtOnceAndStillCloses) {
  World w;
  w.alice.Create(InitiatorConfig());
  w.alice.Start();
  w.Run(Seconds(1));
  w.alice.Crash();
  w.After(Seconds(500), [] {});
  w.Run(Seconds(500));
  w.alice.trace.clear();
  ASSERT_TRUE(w.alice.Restore(w.alice.saves.back()).ok());
  w.alice.Start();
  ASSERT_GE(w.alice.trace.size(), 2u);
  EXPECT_EQ(w.alice.trace[0], "Save");
  EXPECT_EQ(w.alice.trace[1], "Failed");
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kTimeout);
  w.Run();
  EXPECT_EQ(w.relay.closes, std::vector<Mood>{rendezvous::v1::MOOD_LONELY});
  EXPECT_TRUE(w.alice.over);
}

TEST(ExchangeRestoreTest, AClockThatWentBackGivesNoMoreThanTheTimeout) {
  SeededRandom random(1);
  auto first = Exchange::Create(InitiatorConfig(), true, &random);
  ASSERT_TRUE(first.ok());
  (*first)->Step(Start{}, {absl::FromUnixSeconds(1'700'000'000), Seconds(5)});
  auto second = Exchange::Restore((*first)->Serialize(), true, "", &random);
  ASSERT_TRUE(second.ok());
  (*second)->Step(Start{}, {absl::FromUnixSeconds(1'000'000'000), Seconds(5)});
  (*second)->Step(Wake{}, {absl::FromUnixSeconds(1'000'000'000), Seconds(184)});
  EXPECT_TRUE((*second)->NextWake().has_value());
  const std::vector<Effect> effects =
      (*second)->Step(Wake{}, {absl::FromUnixSeconds(1'000'000'000), Seconds(185)});
  EXPECT_TRUE(std::any_of(effects.begin(), effects.end(),
                          [](const Effect& e) { return std::holds_alternative<Failed>(e); }));
}

// --- STALE_STATE.

struct Stale {
  const char* what;
  std::function<void(Opened&)> lie;
  bool closes;
};

TEST(ExchangeRestoreTest, WhatAnOpenedShowsOfANewerState) {
  for (const Stale& c : {Stale{"stored", [](Opened& o) { o.set_stored(4); }, true},
                         Stale{"accepted", [](Opened& o) { o.set_peer_cursor(4); }, true},
                         Stale{"forgotten", [](Opened& o) { o.set_peer_forgotten(1); }, true},
                         Stale{"left", [](Opened& o) { o.set_left(true); }, false}}) {
    World w;
    w.alice.Create(InitiatorConfig());
    w.alice.Start();
    w.Run(Seconds(1));
    w.relay.on_opened = c.lie;
    w.alice.LoseStream();
    w.Run(Seconds(10));
    EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kStaleState) << c.what;
    EXPECT_EQ(w.alice.failure().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_TRUE(w.alice.over);
    EXPECT_EQ(w.relay.closes,
              c.closes ? std::vector<Mood>{rendezvous::v1::MOOD_ERRORY} : std::vector<Mood>{})
        << c.what;
  }
}

TEST(ExchangeRestoreTest, StoredButNotMadeIsNotStale) {
  // An older copy has made nothing yet: up to three frames it can make again.
  World w;
  w.alice.Create(InitiatorConfig());
  w.alice.Start();
  w.relay.on_opened = [](Opened& o) { o.set_stored(3); };
  w.Run(Seconds(1));
  EXPECT_TRUE(w.alice.failures.empty());
  EXPECT_FALSE(w.alice.code.empty());
  EXPECT_EQ(w.alice.sent.size(), 1u);  // nothing is posted that is stored
}

TEST(ExchangeRestoreTest, FewerStoredThanDroppedIsStale) {
  World w;
  ExchangeConfig alice = InitiatorConfig();
  alice.confirm_verifier = true;
  w.alice.Create(alice);
  w.alice.Start();
  w.Run(Seconds(1));
  w.bob.Create(ReceiverConfig(w.alice.code));
  w.bob.Start();
  w.Run(Seconds(1));
  w.bob.LoseStream();  // its next Open acknowledges
  w.Run(Seconds(1));
  w.relay.on_opened = [](Opened& o) { o.set_stored(1); };
  w.alice.LoseStream();
  w.Run(Seconds(5));
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kStaleState) << w.alice.failure();
  EXPECT_EQ(ReasonOf(w.bob.failure()), Reason::kAborted) << w.bob.failure();
}

TEST(ExchangeRestoreTest, APeerStatusOfANewerState) {
  World w;
  w.alice.Create(InitiatorConfig());
  w.alice.Start();
  w.Run(Seconds(1));
  FakeRelay::Response response;
  response.mutable_peer_status()->set_peer_cursor(4);
  w.alice.Do(Received{response});
  w.Run();
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kStaleState);
  EXPECT_EQ(w.relay.closes, std::vector<Mood>{rendezvous::v1::MOOD_ERRORY});
}

TEST(ExchangeRestoreTest, ALowerPeerCursorIsTheOneThatCounts) {
  World w;
  w.alice.Create(InitiatorConfig());
  w.alice.Start();
  w.Run(Seconds(1));
  FakeRelay::Response response;
  for (const uint64_t cursor : {3, 0, 1, 0}) {
    response.mutable_peer_status()->set_peer_cursor(cursor);
    w.alice.Do(Received{response});
  }
  EXPECT_TRUE(w.alice.has_stream());
  w.bob.Create(ReceiverConfig(w.alice.code));
  w.bob.Start();
  w.Run();
  EXPECT_TRUE(w.alice.finished() && w.bob.finished());
}

TEST(ExchangeRestoreTest, AnotherRelayTakesThePlaceOfTheSavedOne) {
  World w;
  w.alice.Create(InitiatorConfig());
  w.alice.Start();
  const std::string saved = w.alice.saves.back();
  SeededRandom random(1);
  EXPECT_EQ((*Exchange::Restore(saved, true, "", &random))->relay(), "relay.example.com:443");
  EXPECT_EQ((*Exchange::Restore(saved, true, "other:1", &random))->relay(), "other:1");
  EXPECT_FALSE(Exchange::Restore(saved, true, "other one", &random).ok());
}

}  // namespace
}  // namespace wormhole::core
