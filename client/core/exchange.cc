#include "client/core/exchange.h"

#include <sodium.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/core/code.h"
#include "client/core/exchange_machine.h"
#include "client/core/failure.h"
#include "client/core/saved_state.h"
#include "client/core/schedule.h"
#include "proto/wire/app_id.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using pake::Role;
using pake::SecretAccess;

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

absl::Status CheckConfig(const ExchangeConfig& config) {
  if (absl::Status status = wire::CheckAppId(config.app_id); !status.ok()) return status;
  if (absl::Status status = CheckRelayName(config.relay); !status.ok()) return status;
  if (config.data.size() > kMaxDataBytes) {
    return Invalid(absl::StrCat("the data has ", config.data.size(), " bytes; send at most ",
                                kMaxDataBytes, ", for example a key or an address for the rest"));
  }
  if (config.role == Role::kReceiver && config.code.empty()) {
    return Invalid("a receiver needs the code that the initiator shows");
  }
  if (config.code.empty() && (config.words < kMinWords || config.words > kMaxWords)) {
    return Invalid("a code has two to eight words");
  }
  return CheckTimes(config);
}

// Draws the token, the scalar, the initiator's sid and a code's words, in this order.
void DrawSecrets(ExchangeState& state, std::string words, size_t count, RandomSource& random) {
  ExchangeSecrets& secrets = state.secrets.get(SecretAccess{});
  random.Fill(secrets.token, sizeof(secrets.token));
  pake::WipedArray<pake::kScalarSeedBytes> seed;
  random.Fill(seed.data(SecretAccess{}), seed.size());
  const pake::Scalar scalar = pake::ScalarFromUniform(seed);
  std::memcpy(secrets.scalar, scalar.data(SecretAccess{}), scalar.size());
  if (state.role == Role::kInitiator) {
    state.sid.resize(pake::kSidBytes);
    random.Fill(reinterpret_cast<uint8_t*>(state.sid.data()), state.sid.size());
  }
  if (words.empty()) words = DrawWords(count, random);
  std::memcpy(secrets.words, words.data(), words.size());
  secrets.words_size = words.size();
  sodium_memzero(words.data(), words.size());
}

// `config` has been checked.
void CopyConfig(ExchangeConfig& config, ExchangeState& state) {
  state.role = config.role;
  state.app_id = std::move(config.app_id);
  state.relay = std::move(config.relay);
  state.data = std::move(config.data);
  state.wait = config.wait && config.role == Role::kReceiver;
  state.check_in = config.check_in;
  state.confirm_verifier = config.confirm_verifier;
  state.schedule = std::move(config.schedule);
  state.timeout = absl::Trunc(config.timeout, kTick);
  state.ttl = config.ttl == absl::ZeroDuration() ? state.timeout : absl::Trunc(config.ttl, kTick);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Exchange>> Exchange::Create(ExchangeConfig config, bool saves,
                                                           RandomSource* random) {
  if (absl::Status status = CheckConfig(config); !status.ok()) {
    return WithReason(std::move(status), Reason::kInvalidArgument);
  }
  Code code;
  if (!config.code.empty()) {
    absl::StatusOr<Code> parsed = ParseCode(config.code, config.allow_other_words);
    if (!parsed.ok()) return WithReason(parsed.status(), Reason::kInvalidArgument);
    code = *std::move(parsed);
  }
  ExchangeState state;
  auto secrets = pake::SecretStruct<ExchangeSecrets>::Create();
  if (!secrets.ok()) return WithReason(secrets.status(), Reason::kInternal);
  state.secrets = *std::move(secrets);
  (config.role == Role::kInitiator ? state.agreed_id : state.channel_id) = code.channel_id;
  const size_t words = config.words;
  CopyConfig(config, state);
  DrawSecrets(state, std::move(code.words), words, *random);
  return std::make_unique<ExchangeMachine>(std::move(state), saves, random);
}

absl::StatusOr<std::unique_ptr<Exchange>> Exchange::Restore(std::string_view saved, bool saves,
                                                            std::string_view relay,
                                                            RandomSource* random) {
  if (absl::Status status = CheckRelayName(relay); !status.ok()) return status;
  absl::StatusOr<ExchangeState> state = ParseState(saved);
  if (!state.ok()) return state.status();
  if (!relay.empty()) state->relay = std::string(relay);
  return std::make_unique<ExchangeMachine>(*std::move(state), saves, random);
}

}  // namespace wormhole::core
