// What the exchanges of one Client share.
#ifndef WORMHOLE_CLIENT_ENGINE_ENGINE_H_
#define WORMHOLE_CLIENT_ENGINE_ENGINE_H_

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/engine/executor.h"
#include "client/engine/system_random.h"
#include "client/stream/transport.h"
#include "proto/sync/mutex.h"
#include "proto/sync/threads.h"

namespace wormhole {

// An exchange, as the engine sees it.
class ActiveExchange {
 public:
  virtual ~ActiveExchange() = default;
  // Stops where it is.
  virtual void Drop() = 0;
  // Stops as if its handle were destroyed, and lets those know who wait for its results.
  virtual void ShutDown() = 0;
};

// OK, or DEADLINE_EXCEEDED with what is left.
absl::Status ShutDownResult(const std::vector<std::string>& left);

// What an engine leaves behind: threads that end, perhaps after a callback of the application, and
// connections that close. Any thread.
class Remains {
 public:
  // `application_calls` is the executor's.
  Remains(std::shared_ptr<sync::Threads> threads,
          std::shared_ptr<const std::atomic<int>> application_calls,
          std::shared_ptr<Transport> transport);

  // Waits until nothing is left. Says what is when the deadline comes first; else empty.
  std::string AwaitGone(Executor::Clock::time_point deadline) const;
  // Whether code of the application runs.
  bool InApplicationCode() const { return *application_calls_ > 0; }

 private:
  const std::shared_ptr<sync::Threads> threads_;
  const std::shared_ptr<const std::atomic<int>> application_calls_;
  const std::shared_ptr<Transport> transport_;
};

// The Client and each of its exchanges hold it; it goes with the last of them. Any thread.
class Engine {
 public:
  // While one lives, an exchange is being made, and ShutDown waits.
  class CreationGuard {
   public:
    explicit CreationGuard(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}
    ~CreationGuard();
    CreationGuard(const CreationGuard&) = delete;
    CreationGuard& operator=(const CreationGuard&) = delete;
    Engine& engine() { return *engine_; }

   private:
    const std::shared_ptr<Engine> engine_;
  };

  static absl::StatusOr<std::shared_ptr<Engine>> Create(int threads,
                                                        std::shared_ptr<Transport> transport);

  Executor& executor() { return *executor_; }
  Transport& transport() { return *transport_; }
  SystemRandom& random() { return *random_; }
  const std::shared_ptr<const Remains>& remains() const { return remains_; }

  // The first step of making an exchange. FAILED_PRECONDITION after ShutDown.
  static absl::StatusOr<std::shared_ptr<CreationGuard>> BeginCreation(
      std::shared_ptr<Engine> engine);
  // The exchange that was made, while its guard lives.
  void Register(const std::shared_ptr<ActiveExchange>& exchange);
  // Its end: it has let go of its stream, and does nothing any more by itself. May come twice. Its
  // callbacks may still wait for their turn, or new ones come: ShutDown reaches it as before.
  void NoteOver(ActiveExchange* exchange);
  // It is destroyed.
  void Unregister(ActiveExchange* exchange);

  // Keeps `exchange` alive until Forget: it goes on without its handle, until the relay knows that
  // it is over. False, and keeps nothing, when the Client is gone.
  bool Keep(std::shared_ptr<ActiveExchange> exchange);
  void Forget(const std::shared_ptr<ActiveExchange>& exchange);

  // The Client is gone: drops all exchanges that the engine keeps.
  void DropBackground();

  // Lets no exchange in any more, and ShutDown to each that is not destroyed. Waits for nothing.
  void BeginShutDown();
  // The rest, and BeginShutDown if that was not called: waits until all exchanges are over,
  // stops the executor, and waits until nothing is left. Returns what is at the deadline, or an
  // empty list. The exchanges that still tell the relay are dropped then, and another call waits
  // for the rest. Not on a thread of the executor.
  std::vector<std::string> ShutDown(Executor::Clock::time_point deadline);

 private:
  Engine(std::unique_ptr<SystemRandom> random, std::unique_ptr<Executor> executor,
         std::shared_ptr<Transport> transport, std::shared_ptr<const Remains> remains);

  // Waits until nobody makes an exchange and none is here. What is left, or empty.
  std::vector<std::string> AwaitEmpty(Executor::Clock::time_point deadline);
  // All that are not destroyed, also those that are over.
  std::vector<std::shared_ptr<ActiveExchange>> Exchanges();

  const std::unique_ptr<SystemRandom> random_;
  const std::shared_ptr<Transport> transport_;
  const std::unique_ptr<Executor> executor_;
  const std::shared_ptr<const Remains> remains_;
  sync::Mutex mutex_;
  sync::CondVar changed_;
  bool closed_ WORMHOLE_GUARDED_BY(mutex_) = false;  // ShutDown was called
  int creations_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  std::unordered_map<ActiveExchange*, std::weak_ptr<ActiveExchange>> exchanges_
      WORMHOLE_GUARDED_BY(mutex_);
  std::unordered_set<ActiveExchange*> active_ WORMHOLE_GUARDED_BY(mutex_);  // are not over
  bool client_gone_ WORMHOLE_GUARDED_BY(mutex_) = false;
  std::unordered_set<std::shared_ptr<ActiveExchange>> kept_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_ENGINE_ENGINE_H_
