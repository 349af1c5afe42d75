// One exchange through an evil relay, and what may never come of it.
#ifndef WORMHOLE_TESTS_MALICE_EVIL_RUN_H_
#define WORMHOLE_TESTS_MALICE_EVIL_RUN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "client/pake/role.h"
#include "tests/malice/evil_relay.h"
#include "tests/simulation/sim_client.h"
#include "wormhole/outcome.h"

namespace wormhole::malice {

struct EvilOutcome {
  simulation::ClientReport initiator, receiver;
  // As they were posted.
  std::vector<std::string> initiator_frames, receiver_frames;

  const simulation::ClientReport& report(pake::Role role) const {
    return role == pake::Role::kInitiator ? initiator : receiver;
  }
  bool GotData(pake::Role role) const { return !report(role).data.empty(); }
  // kNone when it has not failed.
  Reason reason(pake::Role role) const;
};

// Both sides have the code 7-able-zebra and 30 s. `seed` draws keys. With `crashes` their processes
// are killed now and then in the first ten seconds, and go on from what they have saved.
EvilOutcome RunEvil(const Evil& evil, uint64_t seed = 1, bool crashes = false);

// What holds whatever the relay does: both end in time without going in circles, data is the
// peer's, and each failure has a reason that is not this program's fault. Empty when all does.
std::string Judge(const EvilOutcome& outcome);

}  // namespace wormhole::malice

#endif  // WORMHOLE_TESTS_MALICE_EVIL_RUN_H_
