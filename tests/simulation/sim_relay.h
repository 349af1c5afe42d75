// A relay's process: the shipped switchboard over the simulated store, started, ticked, drained and
// killed.
#ifndef WORMHOLE_TESTS_SIMULATION_SIM_RELAY_H_
#define WORMHOLE_TESTS_SIMULATION_SIM_RELAY_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "relay/switchboard/switchboard.h"
#include "tests/simulation/random.h"
#include "tests/simulation/relay_store.h"
#include "tests/simulation/stage.h"

namespace wormhole::simulation {

struct RelayPlan {
  relay::SwitchboardOptions options;
  absl::Duration tick = absl::Milliseconds(250);
  absl::Duration mean_life = absl::InfiniteDuration();  // of the process, while faults are on
  absl::Duration max_outage = absl::Seconds(20);
  absl::Duration mean_store_life = absl::InfiniteDuration();  // between times of it being away
  bool forgets = false;  // a crash loses all channels: the store is in memory
};

class SimRelay {
 public:
  SimRelay(const Stage* stage, RelayPlan plan, SimRandom random, RelayStore* store, int number);

  // `on_death` runs when a process ends, before the switchboard goes.
  void Start(std::function<void()> on_death);
  bool runs() const { return switchboard_ != nullptr; }
  // Nothing when no process runs.
  std::shared_ptr<relay::Attachment> Attach(std::shared_ptr<relay::Sink> sink);
  void Stop(bool well = false);

 private:
  void StartProcess();
  void PlanDeath();
  void PlanStoreOutage();
  template <typename... Parts>
  void Note(const Parts&... parts) {
    stage_->trace->Line("relay ", number_, ": ", parts...);
  }
  void End(bool well);
  void Drain();
  void Tick();
  // `action` after `delay`, unless the process ends before.
  void Later(absl::Duration delay, std::function<void()> action);

  const Stage* const stage_;
  const RelayPlan plan_;
  SimRandom random_;
  SimRandom switchboard_random_;
  RelayStore* const store_;
  const int number_;
  std::function<void()> on_death_;
  uint64_t process_ = 0;
  std::unique_ptr<relay::Switchboard> switchboard_;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_SIM_RELAY_H_
