// The shipped client core, switchboard and channel rules under everything that can go wrong between
// them, one seed a run. See seeds.h for how to run more, or one again.
#include <cstdint>
#include <iostream>
#include <optional>

#include "gtest/gtest.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/world.h"

namespace wormhole::simulation {
namespace {

// So many parts, which run as shards beside each other.
constexpr uint64_t kParts = 16;

class Seeds : public testing::TestWithParam<uint64_t> {};

TEST_P(Seeds, KeepEveryPromise) {
  if (SeedToReplay().has_value()) GTEST_SKIP() << "Simulation.Replay runs the one seed";
  const uint64_t end = FirstSeed() + SeedCount();
  size_t finished = 0;
  size_t exchanges = 0;
  size_t runs = 0;
  size_t of_groups = 0;
  size_t over_etcd = 0;
  size_t of_presence = 0;
  size_t of_sleepers = 0;
  for (uint64_t seed = FirstSeed() + GetParam(); seed < end; seed += kParts) {
    const RunReport report = RunSeed(seed, Flaws{}, false);
    ASSERT_TRUE(report.violations.empty()) << Describe(seed, Flaws{}, report);
    finished += report.finished;
    exchanges += report.exchanges;
    ++runs;
    if (report.relays > 1) ++of_groups;
    if (report.etcd) ++over_etcd;
    if (report.presence) ++of_presence;
    if (report.sleeper) ++of_sleepers;
  }
  RecordProperty("runs", static_cast<int>(runs));
  RecordProperty("runs_of_several_relays", static_cast<int>(of_groups));
  RecordProperty("runs_over_etcd", static_cast<int>(over_etcd));
  RecordProperty("runs_that_judge_presence", static_cast<int>(of_presence));
  // A simulation in which little succeeds shows little.
  EXPECT_TRUE(runs < 20 || (of_groups > 0 && of_groups < runs));
  EXPECT_TRUE(runs < 50 || (over_etcd > 0 && over_etcd < of_groups));
  RecordProperty("runs_with_a_sleeper", static_cast<int>(of_sleepers));
  EXPECT_TRUE(runs < 300 || of_sleepers > 0);
  EXPECT_TRUE(runs < 20 || (runs < 50 ? 3 : 2) * of_presence > runs)
      << of_presence << " of " << runs;
  EXPECT_TRUE(runs < 20 || 2 * finished > exchanges)
      << finished << " of " << exchanges << " exchanges finished";
}

INSTANTIATE_TEST_SUITE_P(Parts, Seeds, testing::Range(uint64_t{0}, kParts));

TEST(Simulation, Replay) {
  const std::optional<uint64_t> seed = SeedToReplay();
  if (!seed.has_value()) {
    GTEST_SKIP() << "no seed to replay; to name one: --test_env=WORMHOLE_SIMULATION_SEED=N";
  }
  const RunReport report = RunSeed(*seed, Flaws{}, true);
  for (const std::string& line : report.trace) std::cout << line << "\n";
  std::cout << report.finished << " of " << report.exchanges << " exchanges finished, "
            << report.events << " events\n";
  for (const std::string& violation : report.violations) ADD_FAILURE() << violation;
}

// What a seed shows once it shows always; otherwise no failure could be looked into.
TEST(Simulation, ASeedRepeats) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const RunReport first = RunSeed(seed, Flaws{}, true);
    const RunReport second = RunSeed(seed, Flaws{}, true);
    EXPECT_EQ(first.events, second.events) << "seed " << seed;
    EXPECT_EQ(first.trace, second.trace) << "seed " << seed;
  }
}

}  // namespace
}  // namespace wormhole::simulation
