// Pairs of raw clients: without the library, they post and read long logs by the rules of
// PROTOCOL.md section 2 alone. An exchange has five frames; a raw pair has as many as its plan
// says, so that windows, acknowledgements and a store of many megabytes are part of the load.
#ifndef WORMHOLE_TESTS_FAULTS_RAW_CLIENT_H_
#define WORMHOLE_TESTS_FAULTS_RAW_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "client/stream/transport.h"
#include "tests/faults/event_log.h"

namespace wormhole::faults {

struct RawPairPlan {
  std::string name;  // of the pair, in the log
  std::string relay;
  uint64_t frames = 0;       // of each side
  size_t frame_bytes = 100;  // of each frame
  absl::Duration pause;      // between two posts of a side
};

// Runs both sides of a pair, on two threads that it joins, until each has posted and read all. A
// side whose stream ends opens another one, for `limit`; a side that runs out of time logs no
// `got`.
void RunRawPair(const RawPairPlan& plan, absl::Duration limit,
                const std::shared_ptr<EventLog>& initiators,
                const std::shared_ptr<EventLog>& receivers);

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_RAW_CLIENT_H_
