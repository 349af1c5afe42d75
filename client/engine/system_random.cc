#include "client/engine/system_random.h"

#include <sodium.h>

#include "absl/status/status.h"
#include "client/core/failure.h"
#include "wormhole/outcome.h"

namespace wormhole {

absl::StatusOr<std::unique_ptr<SystemRandom>> SystemRandom::Create() {
  if (sodium_init() < 0) {
    return core::Failure(Reason::kInternal, absl::StatusCode::kInternal,
                         "libsodium cannot start: is /dev/urandom readable?");
  }
  return std::unique_ptr<SystemRandom>(new SystemRandom());
}

void SystemRandom::Fill(uint8_t* out, size_t size) { randombytes_buf(out, size); }

uint32_t SystemRandom::Below(uint32_t bound) { return randombytes_uniform(bound); }

}  // namespace wormhole
