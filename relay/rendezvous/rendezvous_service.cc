#include "relay/rendezvous/rendezvous_service.h"

namespace wormhole::relay {

RendezvousService::RendezvousService(Switchboard* switchboard, BacklogLimits limits,
                                     StreamObserver* observer)
    : switchboard_(switchboard),
      limits_(limits),
      observer_(observer),
      streams_(std::make_shared<LiveStreams>()) {}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* RendezvousService::Attach(
    grpc::CallbackServerContext* context) {
  return AttachReactor::Run(context, switchboard_, limits_, observer_, streams_);
}

bool RendezvousService::AwaitNoStreams(std::chrono::steady_clock::time_point deadline) {
  return streams_->AwaitNone(deadline);
}

}  // namespace wormhole::relay
