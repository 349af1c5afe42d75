// Typed errors of the rendezvous service (proto/PROTOCOL.md section 2, the table of reasons).
//
// An error travels through our code as an absl::Status whose payload is an ErrorDetail, and over
// the wire as a gRPC status whose `grpc-status-details-bin` holds a google.rpc.Status. That
// envelope is read and written by hand here, because a second registered copy of google.rpc in a
// process aborts it.
#ifndef WORMHOLE_PROTO_ERROR_ERROR_DETAIL_H_
#define WORMHOLE_PROTO_ERROR_ERROR_DETAIL_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::error {

using Reason = rendezvous::v1::ErrorDetail::Reason;
using rendezvous::v1::ErrorDetail;

// What an error may carry beside its reason and message.
struct DetailFields {
  std::string field;                                             // MALFORMED: the field at fault
  std::optional<absl::Duration> retry_delay;                     // BUSY, DRAINING, STORE_AWAY
  rendezvous::v1::Mood mood = rendezvous::v1::MOOD_UNSPECIFIED;  // CLOSED
};

// The status code that belongs to a reason, by the table of section 2.
absl::StatusCode CodeOf(Reason reason);

// A status with the reason's code, `message` for people and the detail as payload.
absl::Status Make(ErrorDetail::Reason reason, std::string_view message, DetailFields fields = {});

// The detail of a status made by Make() or FromWire(); nothing when it has none.
std::optional<ErrorDetail> DetailOf(const absl::Status& status);

// REASON_UNSPECIFIED when the status has no detail.
ErrorDetail::Reason ReasonOf(const absl::Status& status);

// The bytes for `grpc-status-details-bin`: empty when the status has no detail.
std::string ToEnvelope(const absl::Status& status);

// The other way. `envelope` is hostile input: what cannot be read is left out, the code and the
// message stand. A code outside the enum becomes UNKNOWN.
absl::Status FromWire(int code, std::string_view message, std::string_view envelope);

}  // namespace wormhole::error

#endif  // WORMHOLE_PROTO_ERROR_ERROR_DETAIL_H_
