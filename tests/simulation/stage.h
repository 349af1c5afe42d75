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

  bool stormy() const { return loop->now() < faults_end; }
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_STAGE_H_
