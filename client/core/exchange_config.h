// What a new exchange is made of.
#ifndef WORMHOLE_CLIENT_CORE_EXCHANGE_CONFIG_H_
#define WORMHOLE_CLIENT_CORE_EXCHANGE_CONFIG_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/pake/role.h"
#include "wormhole/schedule.h"

namespace wormhole::core {

// What holds for the whole exchange. A saved state has it, so that a restored exchange needs no
// config.
struct ExchangeTerms {
  pake::Role role = pake::Role::kInitiator;
  std::string app_id;
  std::string relay;              // so that a restored exchange knows where to go
  std::string data;               // 0 to 65,000 bytes
  bool wait = false;              // receiver: may come first
  bool check_in = false;          // attach at each tick of the schedule only, detach when drained
  bool confirm_verifier = false;  // hold own data and the peer's until AcceptVerifier
  Schedule schedule = {{absl::ZeroDuration(), absl::Milliseconds(500)}};
  absl::Duration timeout = absl::Seconds(180);
  absl::Duration ttl = absl::ZeroDuration();  // 0: as long as `timeout`; else not shorter
};

// What the caller asked for: the terms, and what code to begin with.
struct ExchangeConfig : ExchangeTerms {
  std::string code;  // receiver: required; initiator: one agreed beforehand, or empty
  size_t words = 2;  // initiator without `code`: how many to draw, 2 to 8
  bool allow_other_words = false;
};

// INVALID_ARGUMENT with what to change. Says nothing of the content of `code`.
absl::Status CheckConfig(const ExchangeConfig& config);

// OK for a relay's name that can be saved and shown: at most 1024 bytes of printable ASCII; may be
// empty.
absl::Status CheckRelayName(std::string_view relay);

// The terms in the form that is saved: times without fractions of a microsecond, each field set.
// The config has been checked.
ExchangeTerms TermsOf(ExchangeConfig&& config);

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_EXCHANGE_CONFIG_H_
