// Numbers that the protocol fixes, with the section of proto/PROTOCOL.md that does; limits_test
// reads them there.
#ifndef WORMHOLE_PROTO_WIRE_LIMITS_H_
#define WORMHOLE_PROTO_WIRE_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace wormhole::wire {

// Section 1: nine digits. The least id is 1.
inline constexpr uint32_t kMaxChannelId = 999'999'999;

// Section 2, rule 5: what a relay grants at the least. A client takes less for these.
inline constexpr uint32_t kMinWindowFrames = 4;
inline constexpr uint32_t kMinWindowBytes = 262'144;

// Section 2, "Sizes": the bounds of a relay's max_frame_bytes. The least is also what a client goes
// by where the relay names none: a sealed box of the largest bucket, and what is around it.
inline constexpr uint32_t kMinFrameLimit = 66'000;
inline constexpr uint32_t kMaxFrameLimit = 1'048'576;
// "Sizes" too: what a client takes, and what a request may have beside its frame. With less, gRPC
// would end the stream before either program could say why.
inline constexpr int kMaxResponseBytes = 1'052'672;
inline constexpr int kRequestSlack = 64 * 1024;

// Section 2, "Heartbeats" and `opened`: a client's interval before the relay has said one, and the
// bounds outside of which it stays with that.
inline constexpr absl::Duration kDefaultHeartbeat = absl::Seconds(20);
inline constexpr absl::Duration kMinHeartbeat = absl::Milliseconds(100);
inline constexpr absl::Duration kMaxHeartbeat = absl::Hours(1);
// Silence of so many intervals ends a stream, on both sides.
inline constexpr double kSilentHeartbeats = 2.5;

// "Heartbeats" too: a client's patience with a stream that is not opened. Longer than a relay takes
// whose store is away, shorter than the silence of one that works: whoever opens a stream waits for
// it, and a connection whose other end has vanished may have taken the words.
inline constexpr absl::Duration kOpensWithin = absl::Seconds(15);

// Section 4: the most that a side may send.
inline constexpr size_t kMaxDataBytes = 65'000;

}  // namespace wormhole::wire

#endif  // WORMHOLE_PROTO_WIRE_LIMITS_H_
