// What a run is made of, drawn from its seed.
#ifndef WORMHOLE_TESTS_SIMULATION_PLAN_H_
#define WORMHOLE_TESTS_SIMULATION_PLAN_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/simulation/intruder.h"
#include "tests/simulation/random.h"
#include "tests/simulation/raw_client.h"
#include "tests/simulation/relay_store.h"
#include "tests/simulation/sim_client.h"
#include "tests/simulation/sim_group.h"
#include "tests/simulation/sim_relay.h"
#include "tests/simulation/sim_stream.h"

namespace wormhole::simulation {

// Why an exchange may fail. With none of these it has to finish.
enum class Excuse : unsigned {
  kWrongCode = 1,    // the receiver has other words
  kRival = 2,        // somebody else may take the receiver's place
  kStale = 4,        // a client without a hook, or an older copy restored
  kGaveUp = 8,       // cancelled, killed, too little time, a verifier refused, a hook that fails
  kExpiry = 16,      // the channel may live too short
  kForgetting = 32,  // the relay forgets everything
  kTwin = 64,        // two copies of one state run at once
};

struct PairPlan {
  ClientPlan initiator;
  ClientPlan receiver;
  bool receiver_comes_first = false;  // with a code agreed beforehand, waiting
  absl::Duration initiator_delay;     // from the beginning of the run
  absl::Duration receiver_delay;      // from the code; when it comes first: from the beginning
  std::string other_words;            // the receiver's, when not the code's
  std::optional<ClientPlan> rival;    // a second receiver with the same code, or with other words
  std::string rival_words;
  absl::Duration rival_delay;
  std::vector<IntruderPlan> intruders;
  std::optional<absl::Duration> twin_after;  // a second copy of a client is started
  bool twin_of_initiator = false;
  // As of a chat, when it has no excuse.
  std::vector<absl::Duration> initiator_copies, receiver_copies;
  unsigned excuses = 0;

  void Excuse(enum Excuse excuse) { excuses |= static_cast<unsigned>(excuse); }
  bool Excused(enum Excuse excuse) const { return (excuses & static_cast<unsigned>(excuse)) != 0; }
};

struct RunPlan {
  absl::Duration faults_end;
  bool steady_clients = false;  // no client crashes
  bool hasty_clients = false;   // one of each pair goes as soon as it comes, and stays away
  NetworkPlan network;
  StorePlan store;
  GroupPlan group;
  RelayPlan relay;  // each of them
  std::vector<PairPlan> pairs;
  std::vector<ChatPlan> chats;  // one after the other
  // Hold so many of the nine shortest ids of the chats' app-id: with eight each chat, or pair, has
  // the id that the one before has just let go.
  int squatters = 0;
  bool lurkers = false;          // somebody waits for each of the nine
  absl::Duration longest_sleep;  // of a client
};

RunPlan DrawPlan(SimRandom& random);

// Lets a client of the first pair sleep, and both wait for it.
void AddSleeper(SimRandom& random, RunPlan& run);

// Whether no stream, relay or store fails in it. Clients may.
bool IsSteady(const RunPlan& run);

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_PLAN_H_
