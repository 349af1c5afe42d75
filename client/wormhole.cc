#include "wormhole/wormhole.h"

#include <sodium.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/client_access.h"
#include "client/core/exchange.h"
#include "client/core/failure.h"
#include "client/core/sealed_state.h"
#include "client/engine/engine.h"
#include "client/engine/party_driver.h"
#include "client/engine/party_factory.h"
#include "client/stream/default_transport.h"
#include "proto/sync/mutex.h"

namespace wormhole {
namespace {

constexpr int kMaxThreads = 64;

absl::Status MovedFrom() {
  return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kFailedPrecondition,
                       "this object was moved from: use the one it was moved to");
}

}  // namespace

// --- Client -----------------------------------------------------------------------------------

absl::StatusOr<std::shared_ptr<Client>> Client::Create(ClientOptions options) {
  return ClientAccess::WithTransport(nullptr, options);
}

absl::StatusOr<std::shared_ptr<Client>> ClientAccess::WithTransport(
    std::shared_ptr<Transport> transport, ClientOptions options) {
  if (options.threads < 1 || options.threads > kMaxThreads) {
    return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
                         absl::StrCat("a Client has 1 to 64 threads, not ", options.threads));
  }
  if (transport == nullptr) transport = MakeDefaultTransport();
  auto engine = Engine::Create(options.threads, std::move(transport));
  if (!engine.ok()) return engine.status();
  return std::shared_ptr<Client>(new Client(*std::move(engine)));
}

Client::Client(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}

Client::~Client() { engine_->DropBackground(); }

namespace {

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

// An application's own Client goes when the application says so; only its exchanges keep the common
// one.
absl::StatusOr<PartyEngine> EngineOf(const Options& options) {
  if (options.client != nullptr) return PartyEngine{ClientAccess::engine(*options.client), nullptr};
  auto common = CommonClient();
  if (!common.ok()) return common.status();
  return PartyEngine{ClientAccess::engine(**common), *common};
}

}  // namespace

// --- Party ------------------------------------------------------------------------------------

namespace {

// Takes a copy of the driver, because the callback may destroy the handle before When has returned.
void When(std::shared_ptr<PartyDriver> driver, Results::What what, Results::Callback callback) {
  if (driver != nullptr) driver->results().When(what, std::move(callback));
}

}  // namespace

Party::Party(std::shared_ptr<PartyDriver> driver) : driver_(std::move(driver)) {}

Party::Party(Party&& other) noexcept : driver_(std::move(other.driver_)) {}

Party& Party::operator=(Party&& other) noexcept {
  if (this == &other) return *this;
  if (driver_ != nullptr) driver_->Release();
  driver_ = std::move(other.driver_);
  return *this;
}

Party::~Party() {
  if (driver_ != nullptr) driver_->Release();
}

absl::StatusOr<std::string> Party::GetData() {
  return driver_ == nullptr ? MovedFrom() : driver_->results().Await(Results::kData);
}

void Party::WhenData(std::function<void(absl::StatusOr<std::string>)> callback) {
  When(driver_, Results::kData, std::move(callback));
}

absl::StatusOr<std::string> Party::GetVerifier() {
  return driver_ == nullptr ? MovedFrom() : driver_->results().Await(Results::kVerifier);
}

void Party::WhenVerifier(std::function<void(absl::StatusOr<std::string>)> callback) {
  When(driver_, Results::kVerifier, std::move(callback));
}

void Party::AcceptVerifier(bool accepted) {
  if (driver_ != nullptr) driver_->AcceptVerifier(accepted);
}

absl::StatusOr<std::string> Party::Verifier() const {
  return driver_ == nullptr ? MovedFrom() : driver_->Verifier();
}

absl::Status Party::DeriveKey(std::string_view purpose, unsigned char* out, size_t size) const {
  if (driver_ == nullptr) return MovedFrom();
  return driver_->DeriveKey(purpose, pake::SecretSpan(out, size));
}

void Party::Cancel() {
  if (driver_ != nullptr) driver_->Cancel();
}

absl::Status Party::Finish(absl::Duration limit) {
  return driver_ == nullptr ? MovedFrom() : driver_->Finish(limit);
}

absl::StatusOr<std::string> Party::Serialize() const {
  if (driver_ == nullptr) return MovedFrom();
  return driver_->Serialize();
}

absl::StatusOr<std::string> Party::SerializeSealed(const unsigned char* key,
                                                   size_t key_size) const {
  if (driver_ == nullptr) return MovedFrom();
  std::string state = driver_->Serialize();
  auto sealed = core::SealState(state, pake::SecretView(key, key_size), driver_->random());
  sodium_memzero(state.data(), state.size());
  return sealed;
}

// --- Initiator and Receiver -------------------------------------------------------------------

namespace {

template <typename T, typename MakeHandle>
absl::StatusOr<T> Handle(absl::StatusOr<std::shared_ptr<PartyDriver>> driver, MakeHandle make) {
  if (!driver.ok()) return driver.status();
  return make(*std::move(driver));
}

}  // namespace

absl::StatusOr<Initiator> Initiator::Create(Options options, std::string data) {
  return Handle<Initiator>(
      CreateParty(EngineOf, std::move(options), pake::Role::kInitiator, "", std::move(data)), Make);
}

absl::StatusOr<Initiator> Initiator::FromSerialized(std::string_view state, Options options) {
  return Handle<Initiator>(
      RestoreParty(EngineOf, state, std::move(options), pake::Role::kInitiator), Make);
}

absl::StatusOr<Initiator> Initiator::FromSealed(std::string_view state, const unsigned char* key,
                                                size_t key_size, Options options) {
  return Handle<Initiator>(RestoreSealedParty(EngineOf, state, pake::SecretView(key, key_size),
                                              std::move(options), pake::Role::kInitiator),
                           Make);
}

Initiator Initiator::Make(std::shared_ptr<PartyDriver> driver) {
  return Initiator(std::move(driver));
}

absl::StatusOr<std::string> Initiator::GetCode() {
  return driver_ == nullptr ? MovedFrom() : driver_->results().Await(Results::kCode);
}

void Initiator::WhenCode(std::function<void(absl::StatusOr<std::string>)> callback) {
  When(driver_, Results::kCode, std::move(callback));
}

absl::StatusOr<Receiver> Receiver::Create(Options options, std::string_view code,
                                          std::string data) {
  return Handle<Receiver>(
      CreateParty(EngineOf, std::move(options), pake::Role::kReceiver, code, std::move(data)),
      Make);
}

absl::StatusOr<Receiver> Receiver::FromSerialized(std::string_view state, Options options) {
  return Handle<Receiver>(RestoreParty(EngineOf, state, std::move(options), pake::Role::kReceiver),
                          Make);
}

absl::StatusOr<Receiver> Receiver::FromSealed(std::string_view state, const unsigned char* key,
                                              size_t key_size, Options options) {
  return Handle<Receiver>(RestoreSealedParty(EngineOf, state, pake::SecretView(key, key_size),
                                             std::move(options), pake::Role::kReceiver),
                          Make);
}

Receiver Receiver::Make(std::shared_ptr<PartyDriver> driver) { return Receiver(std::move(driver)); }

// --- On their own -----------------------------------------------------------------------------

absl::StatusOr<SavedRole> v0::RoleOf(std::string_view state) {
  auto random = SystemRandom::Create();
  if (!random.ok()) return random.status();
  auto exchange = core::Exchange::Restore(state, /*saves=*/false, /*relay=*/"", random->get());
  if (!exchange.ok()) return exchange.status();
  return (*exchange)->role() == pake::Role::kInitiator ? SavedRole::kInitiator
                                                       : SavedRole::kReceiver;
}

}  // namespace wormhole
