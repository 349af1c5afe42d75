#include "client/engine/system_random.h"

#include <sodium.h>

#include "absl/status/status.h"
#include "client/core/failure.h"
#include "client/engine/forked.h"
#include "client/pake/sodium_start.h"
#include "wormhole/outcome.h"

namespace wormhole {

absl::StatusOr<std::unique_ptr<SystemRandom>> SystemRandom::Create() {
  switch (pake::StartSodium()) {
    case pake::SodiumStart::kStarted:
      return std::unique_ptr<SystemRandom>(new SystemRandom());
    case pake::SodiumStart::kForkedMeanwhile:
      return ForkedError();
    case pake::SodiumStart::kNoRandomness:
      break;
  }
  return core::Failure(Reason::kInternal, absl::StatusCode::kInternal,
                       "libsodium cannot start: is /dev/urandom readable?");
}

void SystemRandom::Fill(uint8_t* out, size_t size) { randombytes_buf(out, size); }

uint32_t SystemRandom::Below(uint32_t bound) { return randombytes_uniform(bound); }

}  // namespace wormhole
