#include "relay/grpc/grpc_status.h"

#include <string>

#include "proto/error/error_detail.h"

namespace wormhole::relay {

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      error::ToEnvelope(status));
}

}  // namespace wormhole::relay
