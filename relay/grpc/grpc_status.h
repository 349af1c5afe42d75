// How the relay's errors are told to gRPC.
#ifndef WORMHOLE_RELAY_GRPC_GRPC_STATUS_H_
#define WORMHOLE_RELAY_GRPC_GRPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace wormhole::relay {

// The same status for gRPC, with its detail in `grpc-status-details-bin`.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_GRPC_GRPC_STATUS_H_
