#include "client/core/exchange.h"

#include <sodium.h>

#include <cstring>
#include <utility>

#include "client/core/code.h"
#include "client/core/exchange_config.h"
#include "client/core/exchange_machine.h"
#include "client/core/failure.h"
#include "client/core/saved_state.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using pake::Role;
using pake::SecretAccess;

// Draws the token, the scalar, the initiator's sid and a code's words, in this order.
void DrawSecrets(ExchangeState& state, std::string words, size_t count, RandomSource& random) {
  ExchangeSecrets& secrets = state.secrets.get(SecretAccess{});
  random.Fill(secrets.token, sizeof(secrets.token));
  pake::WipedArray<pake::kScalarSeedBytes> seed;
  random.Fill(seed.data(SecretAccess{}), seed.size());
  const pake::Scalar scalar = pake::ScalarFromUniform(seed);
  std::memcpy(secrets.scalar, scalar.data(SecretAccess{}), scalar.size());
  if (state.terms.role == Role::kInitiator) {
    state.sid.resize(pake::kSidBytes);
    random.Fill(reinterpret_cast<uint8_t*>(state.sid.data()), state.sid.size());
  }
  if (words.empty()) words = DrawWords(count, random);
  std::memcpy(secrets.words, words.data(), words.size());
  secrets.words_size = words.size();
  sodium_memzero(words.data(), words.size());
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
  state.terms = TermsOf(std::move(config));
  DrawSecrets(state, std::move(code.words), words, *random);
  return std::make_unique<ExchangeMachine>(std::move(state), saves, random);
}

absl::StatusOr<std::unique_ptr<Exchange>> Exchange::Restore(std::string_view saved, bool saves,
                                                            std::string_view relay,
                                                            RandomSource* random) {
  if (absl::Status status = CheckRelayName(relay); !status.ok()) return status;
  absl::StatusOr<ExchangeState> state = ParseState(saved);
  if (!state.ok()) return state.status();
  if (!relay.empty()) state->terms.relay = std::string(relay);
  return std::make_unique<ExchangeMachine>(*std::move(state), saves, random);
}

}  // namespace wormhole::core
