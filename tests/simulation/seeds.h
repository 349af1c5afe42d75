// Which seeds to run: a few thousand, more or less by the environment.
//
//   WORMHOLE_SIMULATION_SEEDS=N   so many
//   WORMHOLE_NIGHTLY=1            a million, other ones each day
//   WORMHOLE_SIMULATION_FIRST=N   from this one on, not from 1: numbers that were not run before
//   WORMHOLE_SIMULATION_SEED=N    this one alone, with its whole trace
#ifndef WORMHOLE_TESTS_SIMULATION_SEEDS_H_
#define WORMHOLE_TESTS_SIMULATION_SEEDS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "tests/simulation/world.h"

namespace wormhole::simulation {

// The first of the seeds.
uint64_t FirstSeed();

// How many seeds, from there on. Fewer by default where the code is slow: sanitizers, no optimizer.
uint64_t SeedCount();

// The one to replay, if any.
std::optional<uint64_t> SeedToReplay();

// What is wrong about a run, how to see it again, and the end of its trace, by running it once
// more. `flaws` as before.
std::string Describe(uint64_t seed, const Flaws& flaws, const RunReport& report);

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_SEEDS_H_
