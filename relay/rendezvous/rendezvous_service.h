// The rendezvous service as gRPC sees it: every Attach call becomes an AttachReactor. No rules.
#ifndef WORMHOLE_RELAY_RENDEZVOUS_RENDEZVOUS_SERVICE_H_
#define WORMHOLE_RELAY_RENDEZVOUS_RENDEZVOUS_SERVICE_H_

#include <chrono>
#include <cstddef>
#include <memory>

#include "relay/rendezvous/attach_reactor.h"
#include "relay/rendezvous/live_streams.h"
#include "relay/switchboard/switchboard.h"
#include "wormhole/rendezvous/v1/rendezvous.grpc.pb.h"

namespace wormhole::relay {

// Thread-safe.
class RendezvousService final
    : public rendezvous::v1::RendezvousService::WithRawCallbackMethod_Attach<
          rendezvous::v1::RendezvousService::Service> {
 public:
  // `switchboard`, and `observer` unless it is null, outlive the service and its server.
  RendezvousService(Switchboard* switchboard, BacklogLimits limits, StreamObserver* observer);

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Attach(
      grpc::CallbackServerContext* context) override;

  // Blocks until no stream is left. False when the deadline comes first.
  bool AwaitNoStreams(std::chrono::steady_clock::time_point deadline);

  size_t stream_count() const { return streams_->count(); }

 private:
  Switchboard* const switchboard_;
  const BacklogLimits limits_;
  StreamObserver* const observer_;
  const std::shared_ptr<LiveStreams> streams_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_RENDEZVOUS_RENDEZVOUS_SERVICE_H_
