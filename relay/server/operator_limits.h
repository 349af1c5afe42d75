// What the ports for operators take, the probe port and the admin port. Whoever reaches them may do
// there what he likes within these, and an operator still gets in: the oldest connection gives way
// to the newest (relay/accept/connection_limits.h), and a check of health takes milliseconds. Who
// opens as many as there are places within those milliseconds can keep it out: let nobody but
// kubelet and operators reach the ports.
#ifndef WORMHOLE_RELAY_SERVER_OPERATOR_LIMITS_H_
#define WORMHOLE_RELAY_SERVER_OPERATOR_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "relay/accept/accept_loop.h"

namespace wormhole::relay {

// Of each port; as many again are on their way out at most.
inline constexpr size_t kOperatorConnections = 64;
// Calls of health at a time, of each port: checks, watches, and those that have not said yet what
// they ask for.
inline constexpr size_t kOperatorHealthCalls = 64;
// Calls at a time of one connection: all who may watch events, and as many besides. gRPC holds to
// it who acknowledges it; of the others' calls the oldest give way, and the connection keeps what
// it does not read of their ends. So while memory is short all connections are cut again and again,
// one of which may have taken it.
inline constexpr int kOperatorStreams = 32;
inline constexpr absl::Duration kOperatorCutPause = absl::Seconds(1);
// Calls in a minute of one address: reading a million channels takes a thousand (of the largest
// pages), and one command of grpcurl three. One that is refused, or over before it has said what it
// asks for, counts as ten (Admission::kAbandonedFactor), and so does one of a method that the port
// has not. Who makes twice as many at once is cut off, and may not connect until he would not be
// refused: a call that begins and says nothing costs the relay more than it costs whoever makes it,
// and gRPC begins several before the relay sees one.
inline constexpr uint32_t kOperatorCallsPerMinute = 3000;
// What the kernel takes of a connection before gRPC has read it, in bytes; the kernel doubles it.
// Requests are small here. gRPC begins all calls that it finds there before the relay sees the
// first of them: with the kernel's own, of up to six megabytes, they took half a gigabyte.
inline constexpr int kOperatorReceiveBuffer = 4096;
// For a connection without a call.
inline constexpr absl::Duration kOperatorIdle = absl::Seconds(30);
// No call lasts longer at the probe port and at the admin port, half ones and watches included,
// but for what gRPC adds: a tenth, and the time for last words. Who watches watches anew.
inline constexpr absl::Duration kLongestProbe = absl::Minutes(1);
inline constexpr absl::Duration kLongestInspection = absl::Hours(1);

// No rate of connections, since what a prober or a script does once in a second is no attack, and
// no PROXY headers, since these ports are not for what comes from the Internet.
inline AcceptRules OperatorRules() {
  return {.caps = {.in_all = kOperatorConnections, .oldest_gives_way = true}};
}

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_OPERATOR_LIMITS_H_
