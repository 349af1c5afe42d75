#include "wormhole/wormhole.h"

#include <sodium.h>

#include <algorithm>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/client_access.h"
#include "client/core/exchange.h"
#include "client/core/failure.h"
#include "client/core/sealed_state.h"
#include "client/engine/engine.h"
#include "client/engine/executor.h"
#include "client/engine/forked.h"
#include "client/engine/party_driver.h"
#include "client/engine/party_factory.h"
#include "client/engine/results.h"
#include "client/pake/secret_bytes.h"
#include "client/stream/default_transport.h"
#include "proto/sync/fork.h"
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
  if (absl::Status status = CheckProcess(); !status.ok()) return status;
  if (options.threads < 1 || options.threads > kMaxThreads) {
    return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
                         absl::StrCat("a Client has 1 to 64 threads, not ", options.threads));
  }
  if (absl::Status status = ClaimProcess(); !status.ok()) return status;
  if (transport == nullptr) transport = MakeDefaultTransport();
  auto engine = Engine::Create(options.threads, std::move(transport));
  if (!engine.ok()) return engine.status();
  return std::shared_ptr<Client>(new Client(*std::move(engine)));
}

Client::Client(std::shared_ptr<Engine> engine)
    : generation_(sync::ForkGeneration()), engine_(std::move(engine)) {}

Client::~Client() {
  if (generation_ == sync::ForkGeneration()) {
    engine_->DropBackground();
  } else {
    KeepForever(engine_);
  }
}

namespace {

absl::Status CheckMayShutDown(const char* call) {
  if (absl::Status status = CheckProcess(); !status.ok()) return status;
  return Executor::OnExecutorThread() ? BlockingCallError(call) : absl::OkStatus();
}

// At most a day from now, which the clock can hold.
Executor::Clock::time_point In(absl::Duration limit) {
  return Executor::Clock::now() +
         absl::ToChronoNanoseconds(std::clamp(limit, absl::ZeroDuration(), absl::Hours(24)));
}

}  // namespace

absl::Status Client::Shutdown(absl::Duration limit) {
  if (absl::Status status = CheckMayShutDown("Shutdown"); !status.ok()) return status;
  const absl::Status status = ShutDownResult(engine_->ShutDown(In(limit)));
  if (status.ok()) pake::SecretBytes::FreeSpares();
  return status;
}

namespace {

// The Client of exchanges that were given none: made anew when the last one is gone. And what is
// left of those before it.
class CommonClient {
 public:
  absl::StatusOr<std::shared_ptr<Client>> Get() {
    sync::MutexLock lock(mutex_);
    std::shared_ptr<Client> client = client_.lock();
    if (client != nullptr) return client;
    auto made = Client::Create();
    if (!made.ok()) return made.status();
    std::erase_if(previous_, [](const Previous& previous) {
      return previous.engine.expired() && previous.remains->AwaitGone({}).empty();
    });
    const std::shared_ptr<Engine>& engine = ClientAccess::engine(**made);
    previous_.push_back({engine, engine->remains()});
    client_ = *made;
    return made;
  }

  // What comes later gets another one.
  absl::Status Shutdown(Executor::Clock::time_point deadline) {
    std::vector<Previous> known;
    {
      sync::MutexLock lock(mutex_);
      client_.reset();
      known = previous_;
    }
    // Tells all of them first: one that is stuck must not keep the others at work.
    std::vector<std::shared_ptr<Engine>> engines;
    for (const Previous& previous : known) {
      if (auto engine = previous.engine.lock()) engines.push_back(std::move(engine));
    }
    for (const auto& engine : engines) engine->BeginShutDown();
    std::vector<std::string> left;
    for (const auto& engine : engines) {
      for (std::string& rest : engine->ShutDown(deadline)) left.push_back(std::move(rest));
    }
    engines.clear();
    for (const Previous& previous : known) {
      if (!previous.engine.expired()) continue;  // has said what is left
      std::string rest = previous.remains->AwaitGone(deadline);
      if (!rest.empty()) left.push_back(std::move(rest));
    }
    if (absl::Status status = ShutDownResult(left); !status.ok()) return status;
    pake::SecretBytes::FreeSpares();
    sync::MutexLock lock(mutex_);
    std::erase_if(previous_, [&](const Previous& previous) {
      return std::ranges::any_of(
          known, [&](const Previous& gone) { return gone.remains == previous.remains; });
    });
    previous_.shrink_to_fit();
    return absl::OkStatus();
  }

 private:
  // A common client that is used, or what is left of one.
  struct Previous {
    std::weak_ptr<Engine> engine;
    std::shared_ptr<const Remains> remains;
  };

  sync::Mutex mutex_;
  std::weak_ptr<Client> client_ WORMHOLE_GUARDED_BY(mutex_);
  std::vector<Previous> previous_ WORMHOLE_GUARDED_BY(mutex_);
};

CommonClient& Common() {
  // Never destroyed, since threads may outlive main; and in no memory of the heap, which would be
  // lost when the code is unloaded.
  alignas(CommonClient) static unsigned char storage[sizeof(CommonClient)];
  static auto& common = *new (storage) CommonClient;
  return common;
}

// An application's own Client goes when the application says so; only its exchanges keep the common
// one.
absl::StatusOr<PartyEngine> EngineOf(const Options& options) {
  if (absl::Status status = ClaimProcess(); !status.ok()) return status;
  if (options.client != nullptr) {
    const auto& engine = ClientAccess::engine(*options.client);
    auto creation = Engine::BeginCreation(engine);
    if (!creation.ok()) return creation.status();
    return PartyEngine{engine, *std::move(creation), nullptr};
  }
  while (true) {
    auto common = Common().Get();
    if (!common.ok()) return common.status();
    const auto& engine = ClientAccess::engine(**common);
    // Fails when it has been shut down meanwhile; then there is, or will be, another one.
    auto creation = Engine::BeginCreation(engine);
    if (creation.ok()) return PartyEngine{engine, *std::move(creation), *std::move(common)};
  }
}

}  // namespace

absl::Status v0::ShutdownCommonClient(absl::Duration limit) {
  if (absl::Status status = CheckMayShutDown("ShutdownCommonClient"); !status.ok()) return status;
  return Common().Shutdown(In(limit));
}

// --- Party ------------------------------------------------------------------------------------

namespace {

// Whether a call on a handle can go on: not after a move, nor in a forked child.
absl::Status Usable(const std::shared_ptr<PartyDriver>& driver) {
  if (driver == nullptr) return MovedFrom();
  return driver->Inherited() ? ForkedError() : absl::OkStatus();
}

// Takes a copy of the driver, because the callback may destroy the handle before When has returned.
void When(std::shared_ptr<PartyDriver> driver, Results::What what, Results::Callback callback) {
  if (driver == nullptr || callback == nullptr) return;
  if (driver->Inherited()) return callback(ForkedError());
  driver->results().When(what, std::move(callback));
}

absl::StatusOr<std::string> Await(const std::shared_ptr<PartyDriver>& driver, Results::What what) {
  if (absl::Status status = Usable(driver); !status.ok()) return status;
  return driver->results().Await(what);
}

void LetGo(std::shared_ptr<PartyDriver> driver) {
  if (driver == nullptr) return;
  if (driver->Inherited()) {
    KeepForever(std::move(driver));
  } else {
    driver->Release();
  }
}

}  // namespace

Party::Party(std::shared_ptr<PartyDriver> driver) : driver_(std::move(driver)) {}

Party::Party(Party&& other) noexcept : driver_(std::move(other.driver_)) {}

Party& Party::operator=(Party&& other) noexcept {
  if (this == &other) return *this;
  LetGo(std::exchange(driver_, std::move(other.driver_)));
  return *this;
}

Party::~Party() { LetGo(std::move(driver_)); }

absl::StatusOr<std::string> Party::GetData() { return Await(driver_, Results::kData); }

void Party::WhenData(std::function<void(absl::StatusOr<std::string>)> callback) {
  When(driver_, Results::kData, std::move(callback));
}

absl::StatusOr<std::string> Party::GetVerifier() { return Await(driver_, Results::kVerifier); }

void Party::WhenVerifier(std::function<void(absl::StatusOr<std::string>)> callback) {
  When(driver_, Results::kVerifier, std::move(callback));
}

void Party::AcceptVerifier(bool accepted) {
  if (Usable(driver_).ok()) driver_->AcceptVerifier(accepted);
}

absl::StatusOr<std::string> Party::Verifier() const {
  if (absl::Status status = Usable(driver_); !status.ok()) return status;
  return driver_->Verifier();
}

absl::Status Party::DeriveKey(std::string_view purpose, unsigned char* out, size_t size) const {
  if (absl::Status status = Usable(driver_); !status.ok()) return status;
  return driver_->DeriveKey(purpose, pake::SecretSpan(out, size));
}

void Party::Cancel() {
  if (Usable(driver_).ok()) driver_->Cancel();
}

absl::Status Party::Finish(absl::Duration limit) {
  if (absl::Status status = Usable(driver_); !status.ok()) return status;
  return driver_->Finish(limit);
}

absl::StatusOr<std::string> Party::Serialize() const {
  if (absl::Status status = Usable(driver_); !status.ok()) return status;
  return driver_->Serialize();
}

absl::StatusOr<std::string> Party::SerializeSealed(const unsigned char* key,
                                                   size_t key_size) const {
  if (absl::Status status = Usable(driver_); !status.ok()) return status;
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

absl::StatusOr<std::string> Initiator::GetCode() { return Await(driver_, Results::kCode); }

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
