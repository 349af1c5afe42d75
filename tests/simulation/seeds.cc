#include "tests/simulation/seeds.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/support/nightly.h"

namespace wormhole::simulation {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr uint64_t kDefault = 300;
#elif defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kDefault = 500;
#elif defined(__OPTIMIZE__)
constexpr uint64_t kDefault = 6000;
#else
constexpr uint64_t kDefault = 1000;
#endif

constexpr uint64_t kNightly = 1'000'000;
constexpr size_t kTraceTail = 120;

std::optional<uint64_t> Number(const char* variable) {
  const char* const text = std::getenv(variable);
  uint64_t number = 0;
  if (text == nullptr || !absl::SimpleAtoi(text, &number)) return std::nullopt;
  return number;
}

}  // namespace

// By night other ones each day.
uint64_t FirstSeed() {
  if (const auto first = Number("WORMHOLE_SIMULATION_FIRST"); first.has_value()) return *first;
  if (!IsNightly()) return 1;
  const int64_t days = absl::ToUnixSeconds(absl::Now()) / (24 * 60 * 60);
  return 1 + kNightly * static_cast<uint64_t>(days);
}

uint64_t SeedCount() {
  if (const auto count = Number("WORMHOLE_SIMULATION_SEEDS"); count.has_value()) return *count;
  return IsNightly() ? kNightly : kDefault;
}

std::optional<uint64_t> SeedToReplay() { return Number("WORMHOLE_SIMULATION_SEED"); }

std::string Describe(uint64_t seed, const Flaws& flaws, const RunReport& report) {
  std::string text =
      absl::StrCat("seed ", seed, " fails; replay it with WORMHOLE_SIMULATION_SEED=", seed,
                   " in the test's environment\n");
  for (const std::string& violation : report.violations) {
    absl::StrAppend(&text, "  wrong: ", violation, "\n");
  }
  const RunReport again = RunSeed(seed, flaws, true);
  if (again.violations != report.violations) {
    absl::StrAppend(&text, "  the run that was traced went otherwise:\n");
    for (const std::string& violation : again.violations) {
      absl::StrAppend(&text, "  wrong: ", violation, "\n");
    }
  }
  const size_t from = again.trace.size() - std::min(again.trace.size(), kTraceTail);
  absl::StrAppend(&text, "the end of its trace:\n");
  for (size_t i = from; i < again.trace.size(); ++i) {
    absl::StrAppend(&text, again.trace[i], "\n");
  }
  return text;
}

}  // namespace wormhole::simulation
