// What the exchanges of one Client share.
#ifndef WORMHOLE_CLIENT_ENGINE_ENGINE_H_
#define WORMHOLE_CLIENT_ENGINE_ENGINE_H_

#include <memory>
#include <unordered_set>

#include "absl/status/statusor.h"
#include "client/engine/executor.h"
#include "client/engine/system_random.h"
#include "client/stream/transport.h"
#include "proto/sync/mutex.h"

namespace wormhole {

// An exchange that goes on without its handle, until the relay knows that it is over.
class Background {
 public:
  virtual ~Background() = default;
  // Stops where it is.
  virtual void Drop() = 0;
};

// The Client and each of its exchanges hold it; it goes with the last of them. Any thread.
class Engine {
 public:
  static absl::StatusOr<std::shared_ptr<Engine>> Create(int threads,
                                                        std::shared_ptr<Transport> transport);

  Executor& executor() { return *executor_; }
  Transport& transport() { return *transport_; }
  SystemRandom& random() { return *random_; }

  // Keeps `exchange` alive until Forget. False, and keeps nothing, when the Client is gone.
  bool Keep(std::shared_ptr<Background> exchange);
  void Forget(const std::shared_ptr<Background>& exchange);

  // The Client is gone: drops all exchanges that the engine keeps.
  void DropBackground();

 private:
  Engine(std::unique_ptr<SystemRandom> random, std::unique_ptr<Executor> executor,
         std::shared_ptr<Transport> transport);

  const std::unique_ptr<SystemRandom> random_;
  const std::shared_ptr<Transport> transport_;
  const std::unique_ptr<Executor> executor_;
  sync::Mutex mutex_;
  bool client_gone_ WORMHOLE_GUARDED_BY(mutex_) = false;
  std::unordered_set<std::shared_ptr<Background>> kept_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_ENGINE_ENGINE_H_
