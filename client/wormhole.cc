#include "client/wormhole.h"

#include <sodium.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/core/exchange.h"
#include "client/core/sealed_state.h"
#include "client/default_rendezvous.h"
#include "client/engine/default_transport.h"
#include "client/engine/engine.h"
#include "client/engine/party_driver.h"
#include "client/party_factory.h"

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
  if (options.threads < 1 || options.threads > kMaxThreads) {
    return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
                         absl::StrCat("a Client has 1 to 64 threads, not ", options.threads));
  }
  if (options.transport == nullptr) options.transport = MakeDefaultTransport();
  auto engine = Engine::Create(options.threads, std::move(options.transport));
  if (!engine.ok()) return engine.status();
  return std::shared_ptr<Client>(new Client(*std::move(engine)));
}

Client::Client(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}

Client::~Client() { engine_->DropBackground(); }

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
      PartyFactory::Create(std::move(options), pake::Role::kInitiator, "", std::move(data)), Make);
}

absl::StatusOr<Initiator> Initiator::FromSerialized(std::string_view state, Options options) {
  return Handle<Initiator>(PartyFactory::Restore(state, std::move(options), pake::Role::kInitiator),
                           Make);
}

absl::StatusOr<Initiator> Initiator::FromSealed(std::string_view state, const unsigned char* key,
                                                size_t key_size, Options options) {
  return Handle<Initiator>(PartyFactory::RestoreSealed(state, pake::SecretView(key, key_size),
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
      PartyFactory::Create(std::move(options), pake::Role::kReceiver, code, std::move(data)), Make);
}

absl::StatusOr<Receiver> Receiver::FromSerialized(std::string_view state, Options options) {
  return Handle<Receiver>(PartyFactory::Restore(state, std::move(options), pake::Role::kReceiver),
                          Make);
}

absl::StatusOr<Receiver> Receiver::FromSealed(std::string_view state, const unsigned char* key,
                                              size_t key_size, Options options) {
  return Handle<Receiver>(PartyFactory::RestoreSealed(state, pake::SecretView(key, key_size),
                                                      std::move(options), pake::Role::kReceiver),
                          Make);
}

Receiver Receiver::Make(std::shared_ptr<PartyDriver> driver) { return Receiver(std::move(driver)); }

// --- On their own -----------------------------------------------------------------------------

absl::StatusOr<SavedRole> RoleOf(std::string_view state) {
  auto random = SystemRandom::Create();
  if (!random.ok()) return random.status();
  auto exchange = core::Exchange::Restore(state, /*saves=*/false, /*relay=*/"", random->get());
  if (!exchange.ok()) return exchange.status();
  return (*exchange)->role() == pake::Role::kInitiator ? SavedRole::kInitiator
                                                       : SavedRole::kReceiver;
}

std::string EffectiveRendezvous(const Options& options) {
  if (!options.rendezvous.empty()) return options.rendezvous;
  const char* const variable = std::getenv("WORMHOLE_RENDEZVOUS");
  // Read from a file it often ends with a line end.
  const absl::string_view named =
      absl::StripAsciiWhitespace(variable == nullptr ? absl::string_view() : variable);
  return named.empty() ? kDefaultRendezvous : std::string(named);
}

}  // namespace wormhole
