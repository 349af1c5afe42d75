#include "client/engine/engine.h"

#include <utility>

namespace wormhole {

absl::StatusOr<std::shared_ptr<Engine>> Engine::Create(int threads,
                                                       std::shared_ptr<Transport> transport) {
  auto random = SystemRandom::Create();
  if (!random.ok()) return random.status();
  auto executor = Executor::Create(threads);
  if (!executor.ok()) return executor.status();
  return std::shared_ptr<Engine>(
      new Engine(*std::move(random), *std::move(executor), std::move(transport)));
}

Engine::Engine(std::unique_ptr<SystemRandom> random, std::unique_ptr<Executor> executor,
               std::shared_ptr<Transport> transport)
    : random_(std::move(random)),
      transport_(std::move(transport)),
      executor_(std::move(executor)) {}

bool Engine::Keep(std::shared_ptr<Background> exchange) {
  sync::MutexLock lock(mutex_);
  if (client_gone_) return false;
  kept_.insert(std::move(exchange));
  return true;
}

void Engine::Forget(const std::shared_ptr<Background>& exchange) {
  sync::MutexLock lock(mutex_);
  kept_.erase(exchange);  // the caller still holds it, so nothing is destroyed under the lock
}

void Engine::DropBackground() {
  std::unordered_set<std::shared_ptr<Background>> dropped;
  {
    sync::MutexLock lock(mutex_);
    client_gone_ = true;
    dropped.swap(kept_);
  }
  for (const auto& exchange : dropped) exchange->Drop();
}

}  // namespace wormhole
