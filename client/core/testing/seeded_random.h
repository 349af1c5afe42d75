// Randomness from one seed, for tests and simulations.
#ifndef WORMHOLE_CLIENT_CORE_TESTING_SEEDED_RANDOM_H_
#define WORMHOLE_CLIENT_CORE_TESTING_SEEDED_RANDOM_H_

#include "client/core/random_source.h"

namespace wormhole::core {

// SplitMix64. The same seed gives the same bytes on every platform; fit for no key.
class SeededRandom : public RandomSource {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}

  void Fill(uint8_t* out, size_t size) override {
    for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(Next() >> 56);
  }
  uint32_t Below(uint32_t bound) override {
    return static_cast<uint32_t>((Next() >> 32) * bound >> 32);
  }

 private:
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_TESTING_SEEDED_RANDOM_H_
