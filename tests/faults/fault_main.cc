#include <algorithm>
#include <iostream>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "gtest/gtest.h"
#include "sodium.h"
#include "tests/faults/fault_flags.h"

ABSL_FLAG(int, exchanges, 0, "How many exchanges; 0: as many as --duration allows.");
ABSL_FLAG(absl::Duration, duration, absl::ZeroDuration(),
          "Over how long the exchanges begin; 0s: 15 of them in a second.");
ABSL_FLAG(uint64_t, seed, 1, "Where chance begins.");

namespace wormhole::faults {

Amount AmountOf(int short_exchanges) {
  constexpr int kPerSecond = 15;
  Amount amount = {absl::GetFlag(FLAGS_exchanges), absl::GetFlag(FLAGS_duration)};
  if (amount.exchanges <= 0 && amount.duration > absl::ZeroDuration()) {
    amount.exchanges =
        std::max(1, static_cast<int>(kPerSecond * absl::ToDoubleSeconds(amount.duration)));
  }
  if (amount.exchanges <= 0) amount.exchanges = short_exchanges;
  if (amount.duration <= absl::ZeroDuration()) {
    amount.duration = absl::Seconds(1) * amount.exchanges / kPerSecond;
  }
  return amount;
}

uint64_t Seed() { return absl::GetFlag(FLAGS_seed); }

}  // namespace wormhole::faults

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  if (sodium_init() < 0) return 1;
  std::cout << "seed " << wormhole::faults::Seed() << std::endl;
  return RUN_ALL_TESTS();
}
