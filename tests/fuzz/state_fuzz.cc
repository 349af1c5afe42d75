// A saved state is hostile input: it is refused, or it makes an exchange that can start, be saved,
// and be restored again.
#include <cstdlib>
#include <string_view>

#include "client/core/exchange.h"
#include "client/core/testing/seeded_random.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using wormhole::core::Exchange;
  wormhole::core::SeededRandom random(size);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto exchange = Exchange::Restore(text, /*saves=*/true, /*relay=*/"", &random);
  if (!exchange.ok()) return 0;
  if (!Exchange::Restore((*exchange)->Serialize(), true, "", &random).ok()) abort();
  const wormhole::core::Instant now{absl::FromUnixSeconds(1'790'000'000), absl::ZeroDuration()};
  (*exchange)->Step(wormhole::core::Start{}, now);
  (*exchange)->Step(wormhole::core::Wake{}, now);
  (*exchange)->Serialize();
  return 0;
}
