// Crashes and restores (proto/PROTOCOL.md section 7).
#include <algorithm>
#include <nlohmann/json.hpp>

#include "client/core/exchange_world.h"
#include "client/core/outcome.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"

namespace wormhole::core {
namespace {

using absl::Milliseconds;
using absl::Seconds;
using rendezvous::v1::Mood;
using rendezvous::v1::Opened;

struct Variant {
  bool check_in = false;
  bool verify = false;
  bool agreed = false;  // a code agreed beforehand, and bob waits
};

// Both sides in one of the variants; a user who looks at verifiers accepts them after a second.
class Play {
 public:
  Play(World& w, Variant variant) : w_(w), variant_(variant) {}

  void StartAlice() {
    ExchangeConfig config = Config(InitiatorConfig());
    if (variant_.agreed) config.code = "77-zoo-zoo";
    w_.alice.Create(config);
    w_.alice.Start();
  }
  void StartBob() {
    ExchangeConfig config = Config(ReceiverConfig(variant_.agreed ? "77-zoo-zoo" : w_.alice.code));
    config.wait = variant_.agreed;
    w_.bob.Create(config);
    w_.bob.Start();
  }
  // Runs to the end. `step` sees the world between events.
  void Run(std::function<void()> step = nullptr) {
    if (variant_.agreed) StartBob();
    StartAlice();
    bool bob_started = variant_.agreed;
    w_.Run(absl::Hours(40), [&] {
      if (!bob_started && !w_.alice.code.empty()) {
        bob_started = true;
        w_.After(Seconds(2), [this] { StartBob(); });
      }
      Accept(w_.alice, alice_verifiers_);
      Accept(w_.bob, bob_verifiers_);
      if (step) step();
      return bob_started && w_.alice.over && w_.bob.over;
    });
  }

 private:
  ExchangeConfig Config(ExchangeConfig config) const {
    config.timeout = absl::Hours(48);
    config.check_in = variant_.check_in;
    config.confirm_verifier = variant_.verify;
    if (variant_.check_in) config.schedule = {{absl::ZeroDuration(), Seconds(1800)}};
    return config;
  }
  void Accept(Party& party, size_t& seen) {
    if (party.verifiers.size() == seen) return;
    seen = party.verifiers.size();
    w_.After(Seconds(1), [&party] { party.Do(AcceptVerifier{true}); });
  }

  World& w_;
  Variant variant_;
  size_t alice_verifiers_ = 0;
  size_t bob_verifiers_ = 0;
};

void ExpectSuccess(const Party& party, const std::string& data, const std::string& what) {
  EXPECT_TRUE(party.finished()) << what << " " << party.failure();
  EXPECT_TRUE(party.failures.empty()) << what << " " << party.failure();
  for (const std::string& got : party.data) EXPECT_EQ(got, data) << what;
  for (const std::string& v : party.verifiers) EXPECT_EQ(v, party.verifiers[0]) << what;
}

const Variant kVariants[] = {{},
                             {.check_in = true},
                             {.verify = true},
                             {.agreed = true},
                             {.check_in = true, .verify = true, .agreed = true}};

// The heart of it: whichever effect the process dies before, it goes on from what was saved last.
TEST(ExchangeRestoreTest, WithAHookEveryCrashIsSurvived) {
  for (const Variant& variant : kVariants) {
    for (const bool victim_is_alice : {true, false}) {
      bool crashed = true;
      for (size_t k = 0; crashed; ++k) {
        World w(k + 1);
        Play play(w, variant);
        Party& victim = victim_is_alice ? w.alice : w.bob;
        crashed = false;
        victim.crash_before = [&](const Effect&) {
          if (crashed || victim.effects < k) return false;
          crashed = true;
          w.After(Seconds(1), [&] {
            if (!victim.saves.empty()) {
              EXPECT_TRUE(victim.Restore(victim.saves.back()).ok());
              victim.Start();
            } else {
              // Nothing was sent, so a new one is as good.
              EXPECT_TRUE(victim.sent.empty());
              victim_is_alice ? play.StartAlice() : play.StartBob();
            }
          });
          return true;
        };
        play.Run();
        const std::string what = "crash before effect " + std::to_string(k);
        ExpectSuccess(w.alice, "from bob", what + " alice");
        ExpectSuccess(w.bob, "from alice", what + " bob");
        if (testing::Test::HasFailure()) return;
        ASSERT_LT(k, 200u);
      }
    }
  }
}

// Both may crash, again and again.
TEST(ExchangeRestoreTest, ManyCrashesOfBothAreSurvived) {
  for (uint64_t seed = 1; seed <= 80; ++seed) {
    World w(seed);
    SeededRandom dice(seed * 977);
    const Variant variant = kVariants[seed % std::size(kVariants)];
    Play play(w, variant);
    int crashes = 0;
    for (Party* party : {&w.alice, &w.bob}) {
      party->crash_before = [&, party](const Effect&) {
        if (crashes > 40 || dice.Below(6) != 0) return false;
        ++crashes;
        w.After(Milliseconds(1 + dice.Below(3000)), [&, party] {
          if (!party->saves.empty()) {
            EXPECT_TRUE(party->Restore(party->saves.back()).ok());
            party->Start();
          } else {
            party == &w.alice ? play.StartAlice() : play.StartBob();
          }
        });
        return true;
      };
    }
    play.Run();
    ExpectSuccess(w.alice, "from bob", "seed " + std::to_string(seed));
    ExpectSuccess(w.bob, "from alice", "seed " + std::to_string(seed));
    if (testing::Test::HasFailure()) return;
  }
}

// Any older copy, at any moment: the right data, or a typed end; never anything else.
TEST(ExchangeRestoreTest, OlderCopiesFinishOrEndTyped) {
  int finished = 0, stale = 0;
  for (const bool forget : {true, false}) {
    for (const bool victim_is_alice : {true, false}) {
      for (size_t k = 1; k < 24; ++k) {
        for (size_t copy = 0; copy < 5; ++copy) {
          World w(k + 1);
          w.relay.forget = forget;
          Play play(w, {});
          Party& victim = victim_is_alice ? w.alice : w.bob;
          bool crashed = false;
          victim.crash_before = [&](const Effect&) {
            if (crashed || victim.effects < k || victim.saves.size() <= copy) return false;
            crashed = true;
            w.After(Seconds(1), [&] {
              EXPECT_TRUE(victim.Restore(victim.saves[copy]).ok());
              victim.Start();
            });
            return true;
          };
          play.Run();
          if (!crashed) continue;
          for (const Party* party : {&w.alice, &w.bob}) {
            EXPECT_TRUE(party->over);
            const char* data = party == &w.alice ? "from bob" : "from alice";
            for (const std::string& got : party->data) EXPECT_EQ(got, data);
            if (party->failures.empty()) {
              ++finished;
              continue;
            }
            const Reason reason = ReasonOf(party->failure());
            EXPECT_TRUE(reason == Reason::kStaleState || reason == Reason::kAborted ||
                        reason == Reason::kNoSuchCode)
                << party->failure();
            stale += reason == Reason::kStaleState;
          }
        }
      }
    }
  }
  EXPECT_GT(finished, 100);
  EXPECT_GT(stale, 10);
}

// Serialize() is legal in every state, and where it is taken when nothing is lost afterwards, no
// hook is needed.
TEST(ExchangeRestoreTest, SerializeBetweenAnyTwoEvents) {
  for (const Variant& variant : kVariants) {
    for (size_t k = 0, moved = 1; moved > 0; ++k) {
      World w(k + 1);
      Play play(w, variant);
      moved = 0;
      size_t events = 0;
      play.Run([&] {
        Party& victim = k % 2 == 0 ? w.alice : w.bob;
        if (moved > 0 || !victim.exchange() || events++ < k / 2) return;
        moved = 1;
        const std::string state = victim.exchange()->Serialize();
        const bool over = victim.over;
        victim.Crash();
        ASSERT_TRUE(victim.Restore(state).ok());
        EXPECT_EQ(nlohmann::json::parse(victim.exchange()->Serialize()),
                  nlohmann::json::parse(state));
        victim.Start();
        EXPECT_EQ(victim.over, over);
      });
      const std::string what = "moved after event " + std::to_string(k);
      ExpectSuccess(w.alice, "from bob", what);
      ExpectSuccess(w.bob, "from alice", what);
      if (testing::Test::HasFailure()) return;
      ASSERT_LT(k, 400u);
    }
  }
}

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

TEST(ExchangeRestoreTest, TheDataOfAFinishedExchangeIsDeliveredAgain) {
  World w;
  Play play(w, {});
  play.Run();
  ASSERT_TRUE(w.alice.finished());
  // From the last save: finished, not known to be closed.
  const size_t opens = w.alice.opens.size();
  ASSERT_TRUE(w.alice.Restore(w.alice.saves.back()).ok());
  w.alice.Start();
  EXPECT_EQ(w.alice.data.size(), 2u);
  w.Run();
  EXPECT_TRUE(w.alice.over);
  EXPECT_EQ(w.alice.opens.size(), opens + 1);  // to close again: NOT_FOUND is as good as OK
  // From after the end: nothing is left to do on the network.
  const std::string closed = w.alice.exchange()->Serialize();
  ASSERT_TRUE(w.alice.Restore(closed).ok());
  w.alice.Start();
  EXPECT_EQ(w.alice.data.size(), 3u);
  EXPECT_TRUE(w.alice.over);
  EXPECT_EQ(w.alice.opens.size(), opens + 1);
  EXPECT_TRUE(w.alice.exchange()->Verifier().ok());
  for (const std::string& data : w.alice.data) EXPECT_EQ(data, "from bob");
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
