// Randomness from a seed: for what happens in a simulated run, and for the keys of its clients.
#ifndef WORMHOLE_TESTS_SIMULATION_RANDOM_H_
#define WORMHOLE_TESTS_SIMULATION_RANDOM_H_

#include <cmath>
#include <cstdint>

#include "absl/time/time.h"
#include "client/core/random_source.h"

namespace wormhole::simulation {

class SimRandom final : public core::RandomSource {
 public:
  explicit SimRandom(uint64_t seed) : state_(seed) {
    state_ = Next();  // near seeds would give sequences that are shifted against each other
  }

  // SplitMix64.
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  void Fill(uint8_t* out, size_t size) override {
    for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(Next() >> 56);
  }
  uint32_t Below(uint32_t bound) override {
    return static_cast<uint32_t>(((Next() >> 32) * bound) >> 32);
  }

  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  bool Chance(double p) { return Unit() < p; }
  absl::Duration Between(absl::Duration low, absl::Duration high) {
    return absl::Trunc(low + (high - low) * Unit(), absl::Nanoseconds(1));
  }
  // How long until something that happens every `mean` on average.
  absl::Duration Exponential(absl::Duration mean) { return mean * -std::log(1.0 - Unit()); }

  // A generator of its own, so that what one actor draws does not shift what others draw.
  SimRandom Fork() { return SimRandom(Next()); }

 private:
  uint64_t state_;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_RANDOM_H_
