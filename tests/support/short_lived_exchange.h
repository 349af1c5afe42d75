// An exchange whose time is soon over.
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

// With its code, however slow the machine is: one whose time is over before it has one makes room
// for another with twice the time.
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
