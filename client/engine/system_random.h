// Randomness from the operating system, by way of libsodium.
#ifndef WORMHOLE_CLIENT_ENGINE_SYSTEM_RANDOM_H_
#define WORMHOLE_CLIENT_ENGINE_SYSTEM_RANDOM_H_

#include <memory>

#include "absl/status/statusor.h"
#include "client/core/random_source.h"

namespace wormhole {

// Any thread.
class SystemRandom : public core::RandomSource {
 public:
  // INTERNAL when libsodium cannot start, which means that the system has no randomness.
  // ForkedError() in a child that was forked while another thread of its parent started libsodium.
  static absl::StatusOr<std::unique_ptr<SystemRandom>> Create();

  void Fill(uint8_t* out, size_t size) override;
  uint32_t Below(uint32_t bound) override;

 private:
  SystemRandom() = default;
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_ENGINE_SYSTEM_RANDOM_H_
