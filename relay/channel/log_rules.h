// What an append and an acknowledgement do to one log: written once, for every store.
// Pure: values in, values out.
//
// A store that goes by these keeps exactly the frames (forgotten, stored], and
// forgotten == min(stored, accepted) at all times.
#ifndef WORMHOLE_RELAY_CHANNEL_LOG_RULES_H_
#define WORMHOLE_RELAY_CHANNEL_LOG_RULES_H_

#include <cstddef>
#include <cstdint>

#include "relay/channel/record.h"

namespace wormhole::relay {

enum class AppendStep {
  kKeep,     // write the frame, then CountKept
  kCount,    // the reader has it already: CountForgotten, write nothing
  kCompare,  // a frame is kept under this number: the same bytes are done, others a conflict
  kDone,     // already forgotten: nothing to do, nothing to compare
  kGap,      // not the next number (0 is never one)
};

// What has to happen to a frame with this number.
AppendStep JudgeAppend(const LogState& log, uint64_t number);

// The log with one more frame.
LogState CountKept(LogState log, size_t frame_bytes);
LogState CountForgotten(LogState log);

// The log after its reader has accepted up to `cursor`. `bytes` is as before: the store subtracts
// the frames (before.forgotten, after.forgotten], which it lets go.
LogState RaiseAccepted(LogState log, uint64_t cursor);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CHANNEL_LOG_RULES_H_
