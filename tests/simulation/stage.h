// What every actor of a run shares: time, the trace, and when faults end.
#ifndef WORMHOLE_TESTS_SIMULATION_STAGE_H_
#define WORMHOLE_TESTS_SIMULATION_STAGE_H_

#include "absl/time/time.h"
#include "tests/simulation/event_loop.h"
#include "tests/simulation/flaws.h"
#include "tests/simulation/trace.h"

namespace wormhole::simulation {

struct Stage {
  EventLoop* loop;
  Trace* trace;
  Flaws flaws;
  absl::Duration faults_end;
  absl::Duration quarantine;  // of the relays
  // By how much relays may be wrong about the time.
  absl::Duration clock_error;
  bool steady = false;  // no stream, relay or store fails, and all answer soon
  bool alone = false;   // one relay, which forgets nothing
  // Only relays are left, which have to clean up, and nobody asks to the second when. They look at
  // the clock at least so far apart then: most of a run's events would be such looks.
  absl::Duration least_tick;

  bool stormy() const { return loop->now() < faults_end; }
};

// Who a party is (world.cc): one side of an exchange, which is the shipped core.
inline bool IsExchange(int party) { return party < 900 && (party % 10 < 3 || party % 10 == 9); }
// A raw client that posts beyond the window once.
inline bool IsCheat(int party) { return party >= 940 && party < 950; }
// Somebody who sends heartbeats, and keeps to the protocol otherwise: of them, and raw clients.
inline bool KeepsToTheRules(int party) {
  return IsExchange(party) || (party >= 900 && party < 950);
}

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_STAGE_H_
