// Fault 4: clients are killed at each point where they save, send or hear something, and go on from
// what their save hook wrote, or from an older copy of it.
#include <algorithm>
#include <future>
#include <random>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/faults/crashing_process.h"
#include "tests/faults/fault_flags.h"
#include "tests/faults/scene.h"

namespace wormhole::faults {
namespace {

constexpr int kMoreThanAnyExchangeNeeds = 60;
constexpr int kShortTimeoutSeconds = 20;  // where an exchange may end by it

// What is killed here is not the relay.
ScenePlan OnMemory() { return {.relays = {{.store = "memory"}}}; }

// False when the exchange was over before that point.
bool KillInitiator(Scene& scene, const std::string& point) {
  CrashingProcess initiator(scene, "initiator-" + point, false);
  CrashingProcess receiver(scene, "initiator-" + point, true);
  initiator.Initiate(point);
  std::string code = initiator.AwaitCode();
  const bool died_early = code.empty() && initiator.AwaitDeath();
  if (died_early) {
    initiator.GoOn(kNever, "");
    code = initiator.AwaitCode();
  }
  receiver.Receive(kNever, code);
  const bool died = initiator.AwaitDeath();
  if (died) {
    initiator.GoOn(kNever, "");
    initiator.AwaitDeath();
  }
  receiver.AwaitDeath();
  return died || died_early;
}

bool KillReceiver(Scene& scene, const std::string& point) {
  CrashingProcess initiator(scene, "receiver-" + point, false);
  CrashingProcess receiver(scene, "receiver-" + point, true);
  initiator.Initiate(kNever);
  const std::string code = initiator.AwaitCode();
  receiver.Receive(point, code);
  const bool died = receiver.AwaitDeath();
  if (died) {
    receiver.GoOn(kNever, code);
    receiver.AwaitDeath();
  }
  initiator.AwaitDeath();
  return died;
}

// At each point of each kind; `kill` is one of the above.
template <typename Kill>
void KillEverywhere(const std::string& who, Kill kill) {
  Scene scene(OnMemory());
  int exchanges = 0, deaths = 0;
  for (const char* kind : kKinds) {
    int step = 0;
    bool died = true;
    while (died && step < kMoreThanAnyExchangeNeeds && !::testing::Test::HasFailure()) {
      died = kill(scene, At(kind, ++step));
      ++exchanges;
      deaths += died ? 1 : 0;
    }
    // First open, code or claim, data, close: fewer than that would have tested nothing.
    EXPECT_GT(step, 4) << kind;
    EXPECT_LT(step, kMoreThanAnyExchangeNeeds) << kind;
  }
  const Verdict verdict =
      scene.ExpectAllFinished(absl::StrCat(who, " killed ", deaths, " times"), exchanges);
  EXPECT_EQ(verdict.most_guesses, 1);
}

TEST(ClientsKilledTest, InitiatorAtEachPoint) { KillEverywhere("initiator", KillInitiator); }
TEST(ClientsKilledTest, ReceiverAtEachPoint) { KillEverywhere("receiver", KillReceiver); }

// Lives until the exchange is over, and dies on the way wherever chance has it.
void LiveOften(CrashingProcess& side, uint64_t seed, std::promise<std::string>* shown,
               const std::string& code, int* deaths) {
  std::mt19937_64 random(seed);
  for (int life = 0; life < 10; ++life) {
    const int step = 1 + static_cast<int>(random() % 8);
    side.GoOn(life == 9 ? kNever : At(kKinds[random() % std::size(kKinds)], step), code);
    if (shown != nullptr) {
      const std::string mine = side.AwaitCode();
      if (!mine.empty()) std::exchange(shown, nullptr)->set_value(mine);
    }
    if (!side.AwaitDeath()) break;
    ++*deaths;
  }
  if (shown != nullptr) shown->set_value("");
}

TEST(ClientsKilledTest, BothAgainAndAgain) {
  Scene scene(OnMemory());
  const int exchanges = AmountOf(/*short_exchanges=*/25).exchanges;
  int deaths[2] = {0, 0};
  for (int i = 0; i < exchanges && !HasFailure(); ++i) {
    const std::string name = absl::StrCat("often-", i);
    std::promise<std::string> shown;
    std::future<std::string> code = shown.get_future();
    const uint64_t seed = scene.random()();
    std::jthread initiator([&] {
      CrashingProcess side(scene, name, false);
      LiveOften(side, seed, &shown, "", &deaths[0]);
    });
    CrashingProcess receiver(scene, name, true);
    LiveOften(receiver, ~seed, nullptr, code.get(), &deaths[1]);
  }
  const Verdict verdict = scene.ExpectAllFinished(
      absl::StrCat("both sides killed ", deaths[0] + deaths[1], " times"), exchanges);
  EXPECT_EQ(verdict.most_guesses, 1);
}

// A side dies after its save number `last` and goes on from the older state `first`. False when
// it does not save so often.
bool GoBack(Scene& scene, bool receiver_dies, int last, int first) {
  const std::string name =
      absl::StrCat(receiver_dies ? "receiver" : "initiator", "-", last, "-to-", first);
  CrashingProcess initiator(scene, name, false, kShortTimeoutSeconds);
  CrashingProcess receiver(scene, name, true, kShortTimeoutSeconds);
  CrashingProcess& crashing = receiver_dies ? receiver : initiator;
  const std::string point = At("after-save", last);
  initiator.Initiate(receiver_dies ? kNever : point);
  std::string code = initiator.AwaitCode();
  if (code.empty()) {  // it died before it showed its code
    initiator.AwaitDeath();
    initiator.Resume(kNever, first);
    code = initiator.AwaitCode();
    receiver.Receive(kNever, code);
    initiator.AwaitDeath();
    receiver.AwaitDeath();
    return true;
  }
  receiver.Receive(receiver_dies ? point : kNever, code);
  const bool died = crashing.AwaitDeath();
  if (died) {
    crashing.Resume(kNever, first);
    crashing.AwaitDeath();
  }
  (receiver_dies ? initiator : receiver).AwaitDeath();
  return died;
}

TEST(ClientsKilledTest, RestoredFromAnOlderCopy) {
  Scene scene(OnMemory());
  int exchanges = 0;
  for (const bool receiver_dies : {false, true}) {
    bool died = true;
    for (int last = 2; died && last < kMoreThanAnyExchangeNeeds; ++last) {
      for (int first = 1; died && first < last && !HasFailure(); ++first) {
        died = GoBack(scene, receiver_dies, last, first);
        ++exchanges;
      }
    }
  }
  EXPECT_GT(exchanges, 10);
  const Verdict verdict =
      scene.ExpectNoneLost(absl::StrCat("went back ", exchanges, " times"), exchanges);
  EXPECT_LE(verdict.most_guesses, 2);
}

// Both have finished and said goodbye; every state that was saved is a copy that is too old, or one
// that has finished.
TEST(ClientsKilledTest, RestoredAfterTheEnd) {
  Scene scene(OnMemory());
  CrashingProcess initiator(scene, "over", false, kShortTimeoutSeconds);
  CrashingProcess receiver(scene, "over", true, kShortTimeoutSeconds);
  initiator.Initiate(kNever);
  receiver.Receive(kNever, initiator.AwaitCode());
  for (CrashingProcess* side : {&initiator, &receiver}) {
    side->AwaitDeath();
    const int states = side->states();
    for (int state = 1; state <= states; ++state) {
      side->Resume(kNever, state);
      side->AwaitDeath();
    }
  }
  EXPECT_LE(scene.ExpectNoneLost("restored after the end", 1).most_guesses, 1);
}

// The one guess has been spent; no older copy gives it back.
TEST(ClientsKilledTest, RestoredAfterAWrongCode) {
  Scene scene(OnMemory());
  CrashingProcess initiator(scene, "wrong", false, kShortTimeoutSeconds);
  CrashingProcess receiver(scene, "wrong", true, kShortTimeoutSeconds);
  initiator.Initiate(kNever);
  const std::string code = initiator.AwaitCode();
  const std::string beginning = code.substr(0, code.rfind('-') + 1);
  receiver.Receive(kNever, beginning + (code == beginning + "zoo" ? "zone" : "zoo"));
  initiator.AwaitDeath();
  receiver.AwaitDeath();
  const int states = initiator.states();
  for (int state = 1; state <= states; ++state) {
    initiator.Resume(kNever, state);
    initiator.AwaitDeath();
  }
  const Verdict verdict = scene.ExpectNoneLost("restored after a wrong code", 1);
  EXPECT_EQ(verdict.failed, 1);
  EXPECT_LE(verdict.most_guesses, 2);
}

}  // namespace
}  // namespace wormhole::faults
