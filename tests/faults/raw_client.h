// A side that has much to say: posts and reads long logs by the rules of PROTOCOL.md section 2
// alone, so that windows, acknowledgements and a store of many megabytes are part of the load. An
// exchange has five frames; this has as many as one likes.
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

// Runs both sides of a pair to their ends, on two threads that it joins. Until both have said and
// heard all it tries again, for `limit`; one that did not get there has no end in the log.
void RunRawPair(const RawPairPlan& plan, absl::Duration limit,
                const std::shared_ptr<EventLog>& initiators,
                const std::shared_ptr<EventLog>& receivers);

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_RAW_CLIENT_H_
