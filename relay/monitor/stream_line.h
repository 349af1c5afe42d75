// The log's line for a stream that has ended. Pure.
#ifndef WORMHOLE_RELAY_MONITOR_STREAM_LINE_H_
#define WORMHOLE_RELAY_MONITOR_STREAM_LINE_H_

#include <vector>

#include "relay/monitor/log_line.h"
#include "relay/rendezvous/stream_report.h"

namespace wormhole::relay {

// The fields in this order; those in brackets only when they have a value:
//   [app, or app_invalid: the client's is none and is not repeated], [channel],
//   purpose   allocate, claim, resume or none: what the client asked for
//   state     attached; waiting for an initiator; or none: it was refused, or had gone before
//   posts, bytes   frames that the client has posted, and what is in them
//   messages  frames that it was sent
//   seconds   how long the stream was open
//   end       gRPC's status: OK, NOT_FOUND, ...
//   [reason]  ErrorDetail.Reason in lower case
//   [mood]    the client's, when it closed; else with which the channel had been closed
//   client    its network; with `addresses`, its address and port
//   [trace_id, parent_id]   of its traceparent, when that is a valid one
std::vector<LogField> StreamFields(const StreamReport& report, bool addresses);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_STREAM_LINE_H_
