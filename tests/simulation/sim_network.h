// The simulated network: streams to the relays of a run.
#ifndef WORMHOLE_TESTS_SIMULATION_SIM_NETWORK_H_
#define WORMHOLE_TESTS_SIMULATION_SIM_NETWORK_H_

#include <map>
#include <memory>
#include <vector>

#include "tests/simulation/sim_relay.h"
#include "tests/simulation/sim_stream.h"
#include "tests/simulation/transport.h"

namespace wormhole::simulation {

class SimNetwork final : public Transport {
 public:
  SimNetwork(const Stage* stage, NetworkPlan plan, WireWatcher* watcher, SimRandom random)
      : stage_(stage), plan_(plan), watcher_(watcher), random_(random) {}
  ~SimNetwork() override { TearDown(); }

  std::shared_ptr<ClientStream> Open(int party, const rendezvous::v1::AttachRequest& open,
                                     StreamEvents* events) override;
  void NoteCrash(int party) override { watcher_->OnCrash(party); }

  // Before the first stream.
  void Add(SimRelay* relay) { relays_.push_back(relay); }
  // A relay's process has ended.
  void LoseRelay(const SimRelay* relay);
  // Lets go of all streams.
  void TearDown();
  // How many streams the switchboard has not let go of.
  int Leaks() const;

 private:
  struct Line {
    std::shared_ptr<SimStream> stream;
    const SimRelay* relay = nullptr;  // to which it has got through
  };

  // One that runs, if any does; mostly, since it is not known at once that one has died.
  SimRelay* Choose(int party);

  const Stage* const stage_;
  const NetworkPlan plan_;
  WireWatcher* const watcher_;
  SimRandom random_;
  std::vector<SimRelay*> relays_;
  std::map<int, uint32_t> turns_;  // of the relays, by party
  std::vector<Line> lines_;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_SIM_NETWORK_H_
