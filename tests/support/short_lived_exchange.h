// An exchange that soon fails by its timeout.
#ifndef WORMHOLE_TESTS_SUPPORT_SHORT_LIVED_EXCHANGE_H_
#define WORMHOLE_TESTS_SUPPORT_SHORT_LIVED_EXCHANGE_H_

#include <string>
#include <utility>

#include "wormhole/wormhole.h"

namespace wormhole::testing {

struct ShortLivedExchange {
  Initiator initiator;
  std::string code;
};

// An initiator with its code. On a slow machine an exchange may time out before it has a code; then
// another one gets twice the time.
inline absl::StatusOr<ShortLivedExchange> MakeShortLivedExchange(Options options) {
  absl::Status status;
  for (options.timeout = absl::Milliseconds(200); options.timeout < absl::Minutes(1);
       options.timeout *= 2) {
    absl::StatusOr<Initiator> initiator = Initiator::Create(options, "a");
    if (!initiator.ok()) return initiator.status();
    absl::StatusOr<std::string> code = initiator->GetCode();
    if (code.ok()) return ShortLivedExchange{*std::move(initiator), *std::move(code)};
    status = code.status();
  }
  return status;
}

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_SUPPORT_SHORT_LIVED_EXCHANGE_H_
