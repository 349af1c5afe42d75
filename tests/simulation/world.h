// One run: relays, a network and a few pairs of clients, drawn from one seed and judged.
#ifndef WORMHOLE_TESTS_SIMULATION_WORLD_H_
#define WORMHOLE_TESTS_SIMULATION_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/simulation/etcd/etcd_world.h"
#include "tests/simulation/event_loop.h"
#include "tests/simulation/flaws.h"
#include "tests/simulation/intruder.h"
#include "tests/simulation/lurker.h"
#include "tests/simulation/outcome_judge.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/raw_client.h"
#include "tests/simulation/relay_store.h"
#include "tests/simulation/sim_group.h"
#include "tests/simulation/sim_network.h"
#include "tests/simulation/sim_relay.h"
#include "tests/simulation/sim_store.h"
#include "tests/simulation/straggler.h"
#include "tests/simulation/trace.h"
#include "tests/simulation/wire_judge.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::simulation {

struct RunReport {
  std::vector<std::string> violations;
  std::vector<std::string> trace;  // when it was asked for
  size_t events = 0;
  size_t finished = 0;  // exchanges in which both sides have the other's data
  size_t exchanges = 0;
  int relays = 0;
  bool etcd = false;      // over the shipped store of etcd
  bool presence = false;  // what was said of it was judged
  bool sleeper = false;   // a client slept
};

RunReport RunSeed(uint64_t seed, const Flaws& flaws, bool trace);

class World {
 public:
  World(uint64_t seed, const Flaws& flaws, bool trace);

  RunReport Run();

 private:
  struct Pair {
    int index = 0;
    PairPlan plan;
    std::unique_ptr<SimClient> initiator, receiver, rival, twin;
    std::vector<std::unique_ptr<Intruder>> intruders;
    std::string code;
    bool receiver_joined = false;
  };

  size_t MostEvents() const;
  void MakeRelays();
  void StartPair(Pair& pair);
  void StartSquatters();
  void StartLurkers();
  void StartChat();
  void EndClient(const Pair& pair);
  // What the network kept back of a side of channel `own` until both had left.
  void SendCopies(const rendezvous::v1::AttachRequest& opening, const rendezvous::v1::Opened& own,
                  absl::Duration left, const std::vector<absl::Duration>& delays);
  void StartReceiver(Pair& pair);
  void StartRival(Pair& pair);
  void StartTwin(Pair& pair);
  void StartIntruders(Pair& pair, bool after_claim);
  void WatchForClaim(Pair& pair);
  std::unique_ptr<SimClient> MakeClient(Pair& pair, int place, ClientPlan plan);
  // The code as somebody with `words` has it; empty: as it is.
  static std::string WithWords(const std::string& code, const std::string& words);
  void Judge(EventLoop::Stop stop, RunReport& report);
  void JudgePair(const Pair& pair, RunReport& report);
  void JudgeRawClients(RunReport& report);
  // A late copy of a claim from an earlier chat has taken the second one's place, when the
  // quarantine of its own channel was over and it was a stranger's like any other.
  bool IsTakenByCopy(size_t chat) const;
  // After everything has ended and expired nothing is left.
  void JudgeRemains(RunReport& report);

  EventLoop loop_;
  Trace trace_;
  SimRandom random_;
  RunPlan plan_;
  Stage stage_;
  // One relay's own store, or that of several: one of the three.
  std::unique_ptr<SimStore> store_;
  std::unique_ptr<SimGroup> group_;
  std::unique_ptr<EtcdWorld> etcd_;
  const StoreTruth* truth_ = nullptr;
  std::unique_ptr<WireJudge> wire_judge_;
  std::vector<std::unique_ptr<SimRelay>> relays_;
  std::unique_ptr<SimNetwork> network_;
  std::vector<std::unique_ptr<Pair>> pairs_;
  std::vector<std::unique_ptr<RawClient>> raw_clients_;  // two of each chat
  std::vector<std::unique_ptr<RawClient>> squatters_;
  std::vector<std::unique_ptr<Lurker>> lurkers_;
  std::vector<std::unique_ptr<Straggler>> stragglers_;
  int waiting_for_ = 0;  // clients that have not ended, or may still be started
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_WORLD_H_
