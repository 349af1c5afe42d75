// A gRPC status with an ErrorDetail, to be sent and to be read (proto/PROTOCOL.md, "Errors").
#ifndef WORMHOLE_TESTS_CONFORMANCE_REFUSAL_H_
#define WORMHOLE_TESTS_CONFORMANCE_REFUSAL_H_

#include <optional>
#include <string>

#include "grpcpp/support/status.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::conformance {

using rendezvous::v1::ErrorDetail;

// With the code that the table gives the reason.
grpc::Status Refusal(const ErrorDetail& detail);
grpc::Status Refusal(ErrorDetail::Reason reason);
grpc::Status Closed(rendezvous::v1::Mood mood);
// To come back after so many milliseconds.
grpc::Status Later(ErrorDetail::Reason reason, int64_t milliseconds);
// With any code.
grpc::Status RefusalAs(grpc::StatusCode code, const ErrorDetail& detail);

grpc::StatusCode CodeOf(ErrorDetail::Reason reason);

// Nothing when the status has none.
std::optional<ErrorDetail> DetailOf(const grpc::Status& status);
// For reports: code, message and detail.
std::string Describe(const grpc::Status& status);

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_REFUSAL_H_
