// Runs seeds until one shows something wrong: `hunt FIRST COUNT STEP` runs FIRST, FIRST + STEP, and
// so on, COUNT of them. Says `caught SEED: WHAT` and ends with 1, or `clean` and ends with 0. What
// tests/simulation/mutants looks for faults with.
#include <cstdint>
#include <iostream>

#include "absl/strings/numbers.h"
#include "tests/simulation/world.h"

int main(int argc, char** argv) {
  uint64_t first = 0, count = 0, step = 0;
  if (argc == 2 && absl::SimpleAtoi(argv[1], &first)) {
    const auto report = wormhole::simulation::RunSeed(first, {}, true);
    for (const auto& line : report.trace) std::cout << line << "\n";
    return report.violations.empty() ? 0 : 1;
  }
  if (argc != 4 || !absl::SimpleAtoi(argv[1], &first) || !absl::SimpleAtoi(argv[2], &count) ||
      !absl::SimpleAtoi(argv[3], &step)) {
    std::cerr << "usage: hunt FIRST COUNT STEP | hunt SEED\n";
    return 2;
  }
  for (uint64_t seed = first; count > 0; seed += step, --count) {
    const auto report = wormhole::simulation::RunSeed(seed, {}, false);
    if (report.violations.empty()) continue;
    std::cout << "caught " << seed << ": " << report.violations.front() << std::endl;
    return 1;
  }
  std::cout << "clean" << std::endl;
  return 0;
}
