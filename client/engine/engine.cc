#include "client/engine/engine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/core/failure.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

constexpr char kInApplicationCode[] = "a callback or hook of yours is still running";

std::string Several(size_t count, const char* one, const char* many) {
  return count == 1 ? absl::StrCat("1 ", one) : absl::StrCat(count, " ", many);
}

}  // namespace

absl::Status ShutDownResult(const std::vector<std::string>& left) {
  if (left.empty()) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrCat("the Client is not shut down yet: ", absl::StrJoin(left, "; "),
                   ". Call again to wait for the rest"));
}

// --- Remains ----------------------------------------------------------------------------------

Remains::Remains(std::shared_ptr<sync::Threads> threads,
                 std::shared_ptr<const std::atomic<int>> application_calls,
                 std::shared_ptr<Transport> transport)
    : threads_(std::move(threads)),
      application_calls_(std::move(application_calls)),
      transport_(std::move(transport)) {}

std::string Remains::AwaitGone(Executor::Clock::time_point deadline) const {
  if (!threads_->AwaitGone(deadline)) {
    if (InApplicationCode()) return kInApplicationCode;
    return Several(threads_->names().size(), "thread of the library is",
                   "threads of the library are") +
           " still at work";
  }
  return transport_->AwaitGone(deadline);
}

// --- Engine -----------------------------------------------------------------------------------

absl::StatusOr<std::shared_ptr<Engine>> Engine::Create(int threads,
                                                       std::shared_ptr<Transport> transport) {
  auto random = SystemRandom::Create();
  if (!random.ok()) return random.status();
  auto group = std::make_shared<sync::Threads>();
  auto executor = Executor::Create(threads, group);
  if (!executor.ok()) return executor.status();
  auto remains = std::make_shared<const Remains>(std::move(group), (*executor)->application_calls(),
                                                 transport);
  return std::shared_ptr<Engine>(new Engine(*std::move(random), *std::move(executor),
                                            std::move(transport), std::move(remains)));
}

Engine::Engine(std::unique_ptr<SystemRandom> random, std::unique_ptr<Executor> executor,
               std::shared_ptr<Transport> transport, std::shared_ptr<const Remains> remains)
    : random_(std::move(random)),
      transport_(std::move(transport)),
      executor_(std::move(executor)),
      remains_(std::move(remains)) {}

absl::StatusOr<std::shared_ptr<Engine::CreationGuard>> Engine::BeginCreation(
    std::shared_ptr<Engine> engine) {
  {
    sync::MutexLock lock(engine->mutex_);
    if (engine->closed_) {
      return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kFailedPrecondition,
                           "this Client was shut down: make exchanges with another one");
    }
    ++engine->creations_;
  }
  return std::make_shared<CreationGuard>(std::move(engine));
}

Engine::CreationGuard::~CreationGuard() {
  sync::MutexLock lock(engine_->mutex_);
  --engine_->creations_;
  engine_->changed_.NotifyAll();
}

void Engine::Register(const std::shared_ptr<ActiveExchange>& exchange) {
  sync::MutexLock lock(mutex_);
  exchanges_.emplace(exchange.get(), exchange);
  active_.insert(exchange.get());
}

void Engine::NoteOver(ActiveExchange* exchange) {
  sync::MutexLock lock(mutex_);
  if (active_.erase(exchange) > 0 && active_.empty()) changed_.NotifyAll();
}

void Engine::Unregister(ActiveExchange* exchange) {
  sync::MutexLock lock(mutex_);
  exchanges_.erase(exchange);
  if (active_.erase(exchange) > 0 && active_.empty()) changed_.NotifyAll();
}

bool Engine::Keep(std::shared_ptr<ActiveExchange> exchange) {
  sync::MutexLock lock(mutex_);
  if (client_gone_) return false;
  kept_.insert(std::move(exchange));
  return true;
}

void Engine::Forget(const std::shared_ptr<ActiveExchange>& exchange) {
  sync::MutexLock lock(mutex_);
  kept_.erase(exchange);  // the caller still holds it, so nothing is destroyed under the lock
}

void Engine::DropBackground() {
  std::unordered_set<std::shared_ptr<ActiveExchange>> dropped;
  {
    sync::MutexLock lock(mutex_);
    client_gone_ = true;
    dropped.swap(kept_);
  }
  for (const auto& exchange : dropped) exchange->Drop();
}

// --- The end ----------------------------------------------------------------------------------

std::vector<std::shared_ptr<ActiveExchange>> Engine::Exchanges() {
  std::vector<std::shared_ptr<ActiveExchange>> here;
  sync::MutexLock lock(mutex_);
  for (const auto& [raw, weak] : exchanges_) {
    if (auto exchange = weak.lock()) here.push_back(std::move(exchange));
  }
  return here;
}

std::vector<std::string> Engine::AwaitEmpty(Executor::Clock::time_point deadline) {
  std::vector<std::string> left;
  sync::MutexLock lock(mutex_);
  while ((creations_ > 0 || !active_.empty()) && changed_.WaitUntil(mutex_, deadline)) {
  }
  if (creations_ > 0) {
    left.push_back(Several(static_cast<size_t>(creations_), "exchange is", "exchanges are") +
                   " being made");
  }
  if (!kept_.empty()) {
    left.push_back(Several(kept_.size(), "exchange tells", "exchanges tell") +
                   " the relay that it is over");
  } else if (!active_.empty()) {
    left.push_back(Several(active_.size(), "exchange is", "exchanges are") + " stopping");
  }
  return left;
}

void Engine::BeginShutDown() {
  {
    sync::MutexLock lock(mutex_);
    closed_ = true;
  }
  for (const auto& exchange : Exchanges()) exchange->ShutDown();
}

std::vector<std::string> Engine::ShutDown(Executor::Clock::time_point deadline) {
  BeginShutDown();
  {
    sync::MutexLock lock(mutex_);
    while (creations_ > 0 && changed_.WaitUntil(mutex_, deadline)) {
    }
  }
  for (const auto& exchange : Exchanges()) exchange->ShutDown();  // what was being made
  std::vector<std::string> left = AwaitEmpty(deadline);
  DropBackground();
  if (!left.empty()) {
    if (remains_->InApplicationCode()) left.emplace_back(kInApplicationCode);
    return left;
  }
  executor_->Stop();
  if (std::string rest = remains_->AwaitGone(deadline); !rest.empty()) {
    left.push_back(std::move(rest));
  }
  return left;
}

}  // namespace wormhole
