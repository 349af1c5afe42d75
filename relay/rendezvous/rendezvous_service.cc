#include "relay/rendezvous/rendezvous_service.h"

#include <string>
#include <utility>

namespace wormhole::relay {

RendezvousService::RendezvousService(Switchboard* switchboard, BacklogLimits limits,
                                     StreamObserver* observer, const ClientNames* names)
    : switchboard_(switchboard),
      limits_(limits),
      observer_(observer),
      names_(names),
      streams_(std::make_shared<LiveStreams>()) {}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* RendezvousService::Attach(
    grpc::CallbackServerContext* context) {
  // Now: when the stream is over, its connection and the name of its client may be gone.
  std::string peer = context->peer();
  if (names_ != nullptr) peer = names_->Of(peer);
  return AttachReactor::Run(context, std::move(peer), switchboard_, limits_, observer_, streams_);
}

bool RendezvousService::AwaitNoStreams(std::chrono::steady_clock::time_point deadline) {
  return streams_->AwaitNone(deadline);
}

}  // namespace wormhole::relay
