// The simulation finds what it is there to find: with a flaw built into its surroundings, one of
// the default seeds fails.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "gtest/gtest.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/world.h"

namespace wormhole::simulation {
namespace {

// Also where fewer seeds are the default: the search ends at the first that fails.
constexpr uint64_t kSeeds = 6000;

struct Flaw {
  const char* name;
  bool Flaws::*flag;
};

class FlawTest : public testing::TestWithParam<Flaw> {};

TEST_P(FlawTest, IsCaught) {
  Flaws flaws;
  flaws.*GetParam().flag = true;
  const bool count_all = std::getenv("WORMHOLE_SIMULATION_COUNT") != nullptr;
  uint64_t first = 0;
  uint64_t caught = 0;
  std::string how;
  for (uint64_t seed = 1; seed <= kSeeds && (first == 0 || count_all); ++seed) {
    const RunReport report = RunSeed(seed, flaws, false);
    if (report.violations.empty()) continue;
    ++caught;
    if (first != 0) continue;
    first = seed;
    how = report.violations.front();
  }
  EXPECT_NE(first, 0u) << "no seed shows the flaw " << GetParam().name;
  std::cout << GetParam().name << ": seed " << first << " shows it: " << how << "\n";
  if (count_all) std::cout << GetParam().name << ": " << caught << " of " << kSeeds << "\n";
}

INSTANTIATE_TEST_SUITE_P(
    Flaws, FlawTest,
    testing::Values(
        Flaw{"PostedBeforeCommit", &Flaws::posted_before_commit},
        Flaw{"OpenedBeforeCommit", &Flaws::opened_before_commit},
        Flaw{"EarlyForget", &Flaws::early_forget},
        Flaw{"ForgottenCommit", &Flaws::forgotten_commit},
        Flaw{"DroppedResend", &Flaws::dropped_resend},
        Flaw{"LyingSaveHook", &Flaws::lying_save_hook},
        Flaw{"AnewAfterCrash", &Flaws::anew_after_crash},
        Flaw{"OvertakenPosts", &Flaws::overtaken_posts}, Flaw{"NoTick", &Flaws::no_tick},
        Flaw{"InheritedCursor", &Flaws::inherited_cursor}, Flaw{"SidesLetGo", &Flaws::sides_let_go},
        Flaw{"SilentGap", &Flaws::silent_gap}, Flaw{"SilentPresence", &Flaws::silent_presence},
        Flaw{"StaleLoad", &Flaws::stale_load}, Flaw{"StaleLook", &Flaws::stale_look},
        Flaw{"NamelessWords", &Flaws::nameless_words}, Flaw{"KeptWords", &Flaws::kept_words}),
    [](const testing::TestParamInfo<Flaw>& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace wormhole::simulation
