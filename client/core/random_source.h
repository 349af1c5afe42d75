// Where randomness comes from: libsodium in programs, a seed in simulations.
#ifndef WORMHOLE_CLIENT_CORE_RANDOM_SOURCE_H_
#define WORMHOLE_CLIENT_CORE_RANDOM_SOURCE_H_

#include <cstddef>
#include <cstdint>

namespace wormhole::core {

class RandomSource {
 public:
  virtual ~RandomSource() = default;
  // `size` uniform bytes, fit for keys.
  virtual void Fill(uint8_t* out, size_t size) = 0;
  // Uniform in [0, bound), 1 <= bound <= 2^32 - 1, without bias.
  virtual uint32_t Below(uint32_t bound) = 0;
};

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_RANDOM_SOURCE_H_
