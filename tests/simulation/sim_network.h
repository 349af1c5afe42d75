// The simulated network: streams to the one relay of a run.
#ifndef WORMHOLE_TESTS_SIMULATION_SIM_NETWORK_H_
#define WORMHOLE_TESTS_SIMULATION_SIM_NETWORK_H_

#include <memory>
#include <vector>

#include "tests/simulation/sim_relay.h"
#include "tests/simulation/sim_stream.h"
#include "tests/simulation/transport.h"

namespace wormhole::simulation {

class SimNetwork final : public Transport {
 public:
  SimNetwork(const Stage* stage, NetworkPlan plan, WireWatcher* watcher, SimRandom random,
             SimRelay* relay)
      : stage_(stage), plan_(plan), watcher_(watcher), random_(random), relay_(relay) {}
  ~SimNetwork() override { TearDown(); }

  std::shared_ptr<ClientStream> Open(int party, const rendezvous::v1::AttachRequest& open,
                                     StreamEvents* events) override;

  // The relay's process has ended.
  void LoseRelay();
  // Lets go of all streams.
  void TearDown();
  // How many streams the switchboard has not let go of.
  int Leaks() const;

 private:
  const Stage* const stage_;
  const NetworkPlan plan_;
  WireWatcher* const watcher_;
  SimRandom random_;
  SimRelay* const relay_;
  std::vector<std::shared_ptr<SimStream>> streams_;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_SIM_NETWORK_H_
