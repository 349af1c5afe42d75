// Says what is wrong about how the exchanges of a run have ended.
#ifndef WORMHOLE_TESTS_SIMULATION_OUTCOME_JUDGE_H_
#define WORMHOLE_TESTS_SIMULATION_OUTCOME_JUDGE_H_

#include <string>
#include <vector>

#include "tests/simulation/plan.h"
#include "tests/simulation/sim_client.h"

namespace wormhole::simulation {

// A client of a pair and how often it was handed a new first frame of a peer.
struct Ended {
  std::string name;
  const SimClient* client = nullptr;
  size_t guesses = 0;
  bool initiator = false;
  bool same_code = true;  // has the initiator's code
};

// The first is the initiator; then its receiver, a rival and a twin, as far as they were started.
std::vector<std::string> JudgeOutcome(const PairPlan& pair, const std::vector<Ended>& ended);

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_OUTCOME_JUDGE_H_
