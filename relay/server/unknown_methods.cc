#include "relay/server/unknown_methods.h"

#include "absl/status/status.h"
#include "relay/grpc/grpc_status.h"

namespace wormhole::relay {
namespace {

// Ends the call with a status, and then itself.
class Answer final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Answer(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerGenericBidiReactor* UnknownMethods::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  const Admission::Client client = gate_->ClientOf(*context);
  absl::Status status = gate_->Pass(client);
  if (abandoned_) gate_->NoteAbandoned(client);
  // Without the method's name: a client chooses its length.
  if (status.ok()) status = absl::UnimplementedError("this relay has no such method");
  return new Answer(status);
}

}  // namespace wormhole::relay
