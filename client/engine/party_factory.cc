#include "client/engine/party_factory.h"

#include <sodium.h>

#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/core/default_rendezvous.h"
#include "client/core/exchange.h"
#include "client/core/failure.h"
#include "client/core/sealed_state.h"
#include "client/engine/engine.h"
#include "client/engine/forked.h"
#include "client/stream/target.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

absl::Status Invalid(std::string_view message) {
  return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument, message);
}

// So that a timeout ends as one, and not as a channel that expired a moment before.
constexpr absl::Duration kTtlSlack = absl::Minutes(1);

// The relay that `options` leads to: the option, $WORMHOLE_RENDEZVOUS, or the baked-in one.
std::string EffectiveRendezvous(const Options& options) {
  if (!options.rendezvous.empty()) return options.rendezvous;
  const char* const variable = std::getenv("WORMHOLE_RENDEZVOUS");
  // A value that a shell has read from a file often ends with a line end.
  const absl::string_view named =
      absl::StripAsciiWhitespace(variable == nullptr ? absl::string_view() : variable);
  return named.empty() ? kDefaultRendezvous : std::string(named);
}

core::ExchangeConfig ConfigOf(const Options& options, pake::Role role, std::string_view code,
                              std::string data) {
  core::ExchangeConfig config;
  config.role = role;
  config.app_id = options.app_id;
  config.relay = EffectiveRendezvous(options);
  config.data = std::move(data);
  config.code = role == pake::Role::kInitiator ? options.code : std::string(code);
  config.words = options.words;
  config.allow_other_words = options.allow_other_words;
  config.wait = role == pake::Role::kReceiver && options.wait;
  config.check_in = options.check_in;
  config.confirm_verifier = options.confirm_verifier;
  config.schedule = options.schedule;
  config.timeout = options.timeout;
  config.ttl = options.ttl == absl::ZeroDuration() ? options.timeout + kTtlSlack : options.ttl;
  return config;
}

absl::Status CheckTimeout(absl::Duration timeout) {
  if (timeout >= absl::Milliseconds(1) && timeout <= absl::Hours(7 * 24)) return absl::OkStatus();
  return Invalid(absl::StrCat("the timeout is ", absl::FormatDuration(timeout),
                              ": choose one from 1ms to 7 days (168h)"));
}

StreamTarget TargetOf(const Options& options, std::string relay) {
  return StreamTarget{std::move(relay), options.security, options.tls, options.bearer_token};
}

absl::StatusOr<std::shared_ptr<PartyDriver>> Start(Options options, PartyEngine engine,
                                                   StreamTarget target,
                                                   std::unique_ptr<core::Exchange> exchange) {
  PartySetup setup;
  setup.engine = std::move(engine.engine);
  setup.client = std::move(engine.keep_alive);
  setup.exchange = std::move(exchange);
  setup.target = std::move(target);
  setup.on_save = std::move(options.on_save);
  setup.on_progress = std::move(options.on_progress);
  return PartyDriver::Start(std::move(setup));  // while engine.creation lives
}

}  // namespace

absl::StatusOr<std::shared_ptr<PartyDriver>> CreateParty(FindEngine find_engine, Options options,
                                                         pake::Role role, std::string_view code,
                                                         std::string data) {
  if (absl::Status status = CheckProcess(); !status.ok()) return status;
  if (absl::Status status = CheckTimeout(options.timeout); !status.ok()) return status;
  core::ExchangeConfig config = ConfigOf(options, role, code, std::move(data));
  StreamTarget target = TargetOf(options, config.relay);
  if (auto checked = CheckTarget(target); !checked.ok()) return checked.status();
  auto found = find_engine(options);
  if (!found.ok()) return found.status();
  if (absl::Status able = found->engine->transport().Check(target); !able.ok()) return able;
  auto exchange = core::Exchange::Create(std::move(config), options.on_save != nullptr,
                                         &found->engine->random());
  if (!exchange.ok()) return exchange.status();
  return Start(std::move(options), *std::move(found), std::move(target), *std::move(exchange));
}

absl::StatusOr<std::shared_ptr<PartyDriver>> RestoreParty(FindEngine find_engine,
                                                          std::string_view state, Options options,
                                                          pake::Role role) {
  auto found = find_engine(options);
  if (!found.ok()) return found.status();
  auto exchange = core::Exchange::Restore(state, options.on_save != nullptr, options.rendezvous,
                                          &found->engine->random());
  if (!exchange.ok()) return exchange.status();
  if ((*exchange)->role() != role) {
    return Invalid(role == pake::Role::kInitiator
                       ? "this is the saved state of a receiver: use Receiver::FromSerialized"
                       : "this is the saved state of an initiator: use Initiator::FromSerialized");
  }
  StreamTarget target = TargetOf(options, (*exchange)->relay());
  if (auto checked = CheckTarget(target); !checked.ok()) return checked.status();
  if (absl::Status able = found->engine->transport().Check(target); !able.ok()) return able;
  return Start(std::move(options), *std::move(found), std::move(target), *std::move(exchange));
}

absl::StatusOr<std::shared_ptr<PartyDriver>> RestoreSealedParty(FindEngine find_engine,
                                                                std::string_view sealed,
                                                                pake::SecretView key,
                                                                Options options, pake::Role role) {
  if (absl::Status status = CheckProcess(); !status.ok()) return status;
  auto state = core::OpenSealedState(sealed, key);
  if (!state.ok()) return state.status();
  auto driver = RestoreParty(find_engine, *state, std::move(options), role);
  sodium_memzero(state->data(), state->size());
  return driver;
}

}  // namespace wormhole
