// The rendezvous service as gRPC sees it: every Attach call becomes an AttachReactor. No rules.
#ifndef WORMHOLE_RELAY_RENDEZVOUS_RENDEZVOUS_SERVICE_H_
#define WORMHOLE_RELAY_RENDEZVOUS_RENDEZVOUS_SERVICE_H_

#include <chrono>
#include <cstddef>
#include <memory>

#include "relay/accept/client_names.h"
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
  // `switchboard`, and `observer` and `names` unless they are null, outlive the service and its
  // server. `names` has the clients of proxies.
  RendezvousService(Switchboard* switchboard, BacklogLimits limits, StreamObserver* observer,
                    const ClientNames* names = nullptr);

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Attach(
      grpc::CallbackServerContext* context) override;

  // Blocks until no stream is left. False when the deadline comes first.
  bool AwaitNoStreams(std::chrono::steady_clock::time_point deadline);

  size_t stream_count() const { return streams_->count(); }
  // Whether a stream goes over the connection to `peer`, which is as gRPC writes it.
  bool HasStream(const std::string& peer) const { return streams_->Has(peer); }

 private:
  Switchboard* const switchboard_;
  const BacklogLimits limits_;
  StreamObserver* const observer_;
  const ClientNames* const names_;
  const std::shared_ptr<LiveStreams> streams_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_RENDEZVOUS_RENDEZVOUS_SERVICE_H_
