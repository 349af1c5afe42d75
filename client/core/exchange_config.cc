#include "client/core/exchange_config.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/core/code.h"
#include "client/core/failure.h"
#include "client/core/schedule.h"
#include "proto/wire/app_id.h"
#include "proto/wire/limits.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

constexpr absl::Duration kLongest = absl::Hours(24 * 366);
// The saved form has microseconds.
constexpr absl::Duration kTick = absl::Microseconds(1);

absl::Status Invalid(std::string_view message) {
  return absl::InvalidArgumentError(absl::string_view(message.data(), message.size()));
}

absl::Status CheckTimes(const ExchangeConfig& config) {
  if (absl::Status status = CheckSchedule(config.schedule); !status.ok()) return status;
  if (config.timeout < kTick || config.timeout > kLongest) {
    return Invalid("the timeout must be above zero and at most 366 days");
  }
  if (config.ttl != absl::ZeroDuration() &&
      (config.ttl < config.timeout || config.ttl > kLongest)) {
    return Invalid("the ttl must not be shorter than the timeout, nor longer than 366 days");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckConfig(const ExchangeConfig& config) {
  if (absl::Status status = wire::CheckAppId(config.app_id); !status.ok()) return status;
  if (absl::Status status = CheckRelayName(config.relay); !status.ok()) return status;
  if (config.data.size() > wire::kMaxDataBytes) {
    return Invalid(absl::StrCat("the data has ", config.data.size(), " bytes; send at most ",
                                wire::kMaxDataBytes,
                                ", for example a key or an address for the rest"));
  }
  if (config.role == pake::Role::kReceiver && config.code.empty()) {
    return Invalid("a receiver needs the code that the initiator shows");
  }
  if (config.code.empty() && (config.words < kMinWords || config.words > kMaxWords)) {
    return Invalid("a code has two to eight words");
  }
  return CheckTimes(config);
}

absl::Status CheckRelayName(std::string_view relay) {
  bool printable = relay.size() <= 1024;
  for (const char c : relay) printable = printable && c > 0x20 && c < 0x7f;
  if (printable) return absl::OkStatus();
  return Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
                 "the relay's name must be at most 1024 printable ASCII characters, such as "
                 "relay.example.com:443");
}

ExchangeTerms TermsOf(ExchangeConfig&& config) {
  ExchangeTerms terms = std::move(config);  // without the rest
  terms.wait = terms.wait && terms.role == pake::Role::kReceiver;
  terms.timeout = absl::Trunc(terms.timeout, kTick);
  terms.ttl = terms.ttl == absl::ZeroDuration() ? terms.timeout : absl::Trunc(terms.ttl, kTick);
  return terms;
}

}  // namespace wormhole::core
