// Lifecycle stage: starting, serving, stopping. Health and inspection report it.
#ifndef WORMHOLE_RELAY_HEALTH_SERVING_STATE_H_
#define WORMHOLE_RELAY_HEALTH_SERVING_STATE_H_

#include <atomic>

namespace wormhole::relay {

// Thread-safe.
class ServingState {
 public:
  // The relay listens, and its store has started. Nothing after Stop.
  void Serve() {
    Stage starting = Stage::kStarting;
    stage_.compare_exchange_strong(starting, Stage::kServing);
  }
  // A signal has told the relay to stop. No way leads back to serving.
  void Stop() { stage_ = Stage::kStopping; }

  bool serves() const { return stage_ == Stage::kServing; }
  bool stops() const { return stage_ == Stage::kStopping; }

 private:
  enum class Stage { kStarting, kServing, kStopping };
  std::atomic<Stage> stage_ = Stage::kStarting;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_HEALTH_SERVING_STATE_H_
