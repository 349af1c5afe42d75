// One stream over gRPC's callback API.
#ifndef WORMHOLE_CLIENT_STREAM_GRPC_STREAM_H_
#define WORMHOLE_CLIENT_STREAM_GRPC_STREAM_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <deque>
#include <memory>
#include <string>

#include "client/stream/explainer.h"
#include "client/stream/grpc_channels.h"
#include "client/stream/transport.h"
#include "client/stream/wait_group.h"
#include "proto/rpc/awake_threads.h"
#include "proto/sync/mutex.h"
#include "wormhole/rendezvous/v1/rendezvous.grpc.pb.h"

namespace wormhole {

// One read and one write are in flight at most. Reads and writes also start outside of reactions,
// for which gRPC demands a hold. gRPC calls OnDone once nothing is in flight and the hold is
// removed; until then the call keeps `self_`.
class GrpcStream : public Stream,
                   public grpc::ClientBidiReactor<rendezvous::v1::AttachRequest,
                                                  rendezvous::v1::AttachResponse> {
 public:
  // What the call needs until it is done.
  struct Dependencies {
    WaitGroup::Token token;                  // of a stream that lives; goes after the rest
    std::shared_ptr<grpc::Channel> channel;  // to the relay
    std::shared_ptr<GrpcChannels> channels;  // Distrust makes it forget `channel`
    Explainer::Way way;
    std::shared_ptr<Explainer> explainer;      // says why, if the call reaches no relay
    std::shared_ptr<rpc::AwakeThreads> awake;  // without it the peer's messages come late
  };

  // Starts the call.
  static std::shared_ptr<GrpcStream> Start(Dependencies dependencies,
                                           const std::string& bearer_token,
                                           std::shared_ptr<StreamListener> listener);

  void Send(rendezvous::v1::AttachRequest request) override;
  void ReadMore() override;
  void Distrust() override;
  void Abandon() override;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  GrpcStream(Dependencies dependencies, std::shared_ptr<StreamListener> listener);

  void TellEnd(absl::Status status);
  void WriteNext() WORMHOLE_REQUIRES(mutex_);
  void GiveBackHold() WORMHOLE_REQUIRES(mutex_);

  const Dependencies dependencies_;
  const std::unique_ptr<rendezvous::v1::RendezvousService::Stub> stub_;
  grpc::ClientContext context_;
  rendezvous::v1::AttachResponse response_;  // the read in flight, or its result

  sync::Mutex mutex_;
  std::shared_ptr<GrpcStream> self_ WORMHOLE_GUARDED_BY(mutex_);
  std::shared_ptr<StreamListener> listener_ WORMHOLE_GUARDED_BY(mutex_);         // null: abandoned
  std::deque<rendezvous::v1::AttachRequest> queue_ WORMHOLE_GUARDED_BY(mutex_);  // front: written
  bool writing_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool held_ WORMHOLE_GUARDED_BY(mutex_) = true;  // reads and writes may start
  bool answered_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_GRPC_STREAM_H_
