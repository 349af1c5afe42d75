// A relay that says anything at all, to an initiator and to a receiver: no crash, and never data,
// since no input knows the words. The input is a row of serialized AttachResponses, each behind
// its length in one byte.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <variant>

#include "client/core/exchange.h"
#include "client/core/testing/seeded_random.h"

namespace {

using wormhole::core::DataReady;
using wormhole::core::Event;
using wormhole::core::Exchange;
using wormhole::core::Instant;

void Step(Exchange& exchange, Event event, Instant now) {
  for (const auto& effect : exchange.Step(std::move(event), now)) {
    if (std::holds_alternative<DataReady>(effect)) abort();
  }
}

void Drive(wormhole::pake::Role role, const uint8_t* data, size_t size) {
  wormhole::core::SeededRandom random(1);
  wormhole::core::ExchangeConfig config;
  config.role = role;
  config.app_id = "example.com/fuzz";
  config.relay = "localhost:1";
  if (role == wormhole::pake::Role::kReceiver) config.code = "4-abandon-zoo";
  auto exchange = Exchange::Create(config, /*saves=*/true, &random);
  if (!exchange.ok()) abort();
  Instant now{absl::FromUnixSeconds(1'790'000'000), absl::ZeroDuration()};
  Step(**exchange, wormhole::core::Start{}, now);
  while (size > 0) {
    const size_t length = std::min<size_t>(data[0], size - 1);
    wormhole::rendezvous::v1::AttachResponse response;
    if (response.ParseFromArray(data + 1, static_cast<int>(length))) {
      Step(**exchange, wormhole::core::Received{response}, now);
    }
    data += 1 + length;
    size -= 1 + length;
    now.steady += absl::Milliseconds(100);
    now.wall += absl::Milliseconds(100);
    Step(**exchange, wormhole::core::Wake{}, now);
  }
  (*exchange)->Serialize();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Drive(wormhole::pake::Role::kInitiator, data, size);
  Drive(wormhole::pake::Role::kReceiver, data, size);
  return 0;
}
