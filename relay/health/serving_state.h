// How far the relay's life has come, for all that tell others.
#ifndef WORMHOLE_RELAY_HEALTH_SERVING_STATE_H_
#define WORMHOLE_RELAY_HEALTH_SERVING_STATE_H_

#include <atomic>

namespace wormhole::relay {

// Thread-safe. Starts, serves, stops.
class ServingState {
 public:
  // It listens.
  void Serve() { stage_ = Stage::kServing; }
  // It has been told to stop. For good.
  void Stop() { stage_ = Stage::kStopping; }

  bool serves() const { return stage_ == Stage::kServing; }
  bool stops() const { return stage_ == Stage::kStopping; }

 private:
  enum class Stage { kStarting, kServing, kStopping };
  std::atomic<Stage> stage_ = Stage::kStarting;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_HEALTH_SERVING_STATE_H_
