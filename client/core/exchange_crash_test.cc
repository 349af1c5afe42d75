// Crashes at every point, and what a restored exchange then comes to (proto/PROTOCOL.md section 7).
#include <nlohmann/json.hpp>

#include "client/core/testing/exchange_world.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using absl::Milliseconds;
using absl::Seconds;

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
TEST(ExchangeCrashTest, WithAHookEveryCrashIsSurvived) {
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
TEST(ExchangeCrashTest, ManyCrashesOfBothAreSurvived) {
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
TEST(ExchangeCrashTest, OlderCopiesFinishOrEndTyped) {
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
                        reason == Reason::kNoSuchCode || reason == Reason::kUnproven)
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
TEST(ExchangeCrashTest, SerializeBetweenAnyTwoEvents) {
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

TEST(ExchangeCrashTest, TheDataOfAFinishedExchangeIsDeliveredAgain) {
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
}  // namespace
}  // namespace wormhole::core
