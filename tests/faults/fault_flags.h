// What every fault takes on its command line. Each binary has a main of its own that reads them
// (fault_main.cc).
#ifndef WORMHOLE_TESTS_FAULTS_FAULT_FLAGS_H_
#define WORMHOLE_TESTS_FAULTS_FAULT_FLAGS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace wormhole::faults {

// How much is asked for: --exchanges and --duration, each following from the other at 15 exchanges
// a second, and `short_exchanges` when neither is given.
struct Amount {
  int exchanges = 0;
  absl::Duration duration;
};
Amount AmountOf(int short_exchanges);

// --seed, printed once, so that a run can be repeated as far as chance goes.
uint64_t Seed();

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_FAULT_FLAGS_H_
