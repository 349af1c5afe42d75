#include "client/party_factory.h"

#include <sodium.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/core/exchange.h"
#include "client/core/sealed_state.h"
#include "client/engine/engine.h"
#include "client/stream/target.h"
#include "proto/sync/mutex.h"

namespace wormhole {
namespace {

absl::Status Invalid(std::string_view message) {
  return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument, message);
}

// The Client of exchanges that were given none: made anew when the last one is gone.
absl::StatusOr<std::shared_ptr<Client>> CommonClient() {
  struct Common {
    sync::Mutex mutex;
    std::weak_ptr<Client> client WORMHOLE_GUARDED_BY(mutex);
  };
  static Common* const common = new Common;  // never destroyed: threads may outlive main
  sync::MutexLock lock(common->mutex);
  std::shared_ptr<Client> client = common->client.lock();
  if (client == nullptr) {
    auto made = Client::Create();
    if (!made.ok()) return made.status();
    client = *std::move(made);
    common->client = client;
  }
  return client;
}

// So that a timeout ends as one, and not as a channel that expired a moment before.
constexpr absl::Duration kTtlSlack = absl::Minutes(1);

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

ProgressEvent EventOf(const core::Progress& progress) {
  using From = core::Progress::Kind;
  using To = ProgressEvent::Kind;
  const auto kind = [&progress] {
    switch (progress.kind) {
      case From::kConnecting:
        return To::kConnecting;
      case From::kDisconnected:
        return To::kDisconnected;
      case From::kWaiting:
        return To::kWaiting;
      case From::kPeerArrived:
        return To::kPeerArrived;
      case From::kThirdParty:
        return To::kThirdParty;
      case From::kMotd:
        return To::kMotd;
    }
    return To::kConnecting;
  };
  return ProgressEvent{kind(), progress.text};
}

}  // namespace

struct PartyFactory::Shared {
  std::shared_ptr<const void> keep_alive;
  std::shared_ptr<Engine> engine;
};

absl::StatusOr<PartyFactory::Shared> PartyFactory::SharedOf(const Options& options) {
  // An application's own Client goes when the application says so; the common one has nobody else.
  if (options.client != nullptr) return Shared{nullptr, options.client->engine_};
  auto common = CommonClient();
  if (!common.ok()) return common.status();
  return Shared{*common, (*common)->engine_};
}

absl::StatusOr<std::shared_ptr<PartyDriver>> PartyFactory::Create(Options options, pake::Role role,
                                                                  std::string_view code,
                                                                  std::string data) {
  if (absl::Status status = CheckTimeout(options.timeout); !status.ok()) return status;
  core::ExchangeConfig config = ConfigOf(options, role, code, std::move(data));
  StreamTarget target = TargetOf(options, config.relay);
  if (auto checked = CheckTarget(target); !checked.ok()) return checked.status();
  auto shared = SharedOf(options);
  if (!shared.ok()) return shared.status();
  if (absl::Status able = shared->engine->transport().Check(target); !able.ok()) return able;
  auto exchange = core::Exchange::Create(std::move(config), options.on_save != nullptr,
                                         &shared->engine->random());
  if (!exchange.ok()) return exchange.status();
  return Start(std::move(options), *std::move(shared), std::move(target), *std::move(exchange));
}

absl::StatusOr<std::shared_ptr<PartyDriver>> PartyFactory::Restore(std::string_view state,
                                                                   Options options,
                                                                   pake::Role role) {
  auto shared = SharedOf(options);
  if (!shared.ok()) return shared.status();
  auto exchange = core::Exchange::Restore(state, options.on_save != nullptr, options.rendezvous,
                                          &shared->engine->random());
  if (!exchange.ok()) return exchange.status();
  if ((*exchange)->role() != role) {
    return Invalid(role == pake::Role::kInitiator
                       ? "this is the saved state of a receiver: use Receiver::FromSerialized"
                       : "this is the saved state of an initiator: use Initiator::FromSerialized");
  }
  StreamTarget target = TargetOf(options, (*exchange)->relay());
  if (auto checked = CheckTarget(target); !checked.ok()) return checked.status();
  if (absl::Status able = shared->engine->transport().Check(target); !able.ok()) return able;
  return Start(std::move(options), *std::move(shared), std::move(target), *std::move(exchange));
}

absl::StatusOr<std::shared_ptr<PartyDriver>> PartyFactory::RestoreSealed(std::string_view sealed,
                                                                         pake::SecretView key,
                                                                         Options options,
                                                                         pake::Role role) {
  auto state = core::OpenSealedState(sealed, key);
  if (!state.ok()) return state.status();
  auto driver = Restore(*state, std::move(options), role);
  sodium_memzero(state->data(), state->size());
  return driver;
}

absl::StatusOr<std::shared_ptr<PartyDriver>> PartyFactory::Start(
    Options options, Shared shared, StreamTarget target, std::unique_ptr<core::Exchange> exchange) {
  PartySetup setup;
  setup.engine = std::move(shared.engine);
  setup.client = std::move(shared.keep_alive);
  setup.exchange = std::move(exchange);
  setup.target = std::move(target);
  setup.on_save = std::move(options.on_save);
  if (options.on_progress != nullptr) {
    setup.on_progress = [on_progress = std::move(options.on_progress)](
                            const core::Progress& progress) { on_progress(EventOf(progress)); };
  }
  return PartyDriver::Start(std::move(setup));
}

}  // namespace wormhole
