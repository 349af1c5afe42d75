// Streams over gRPC's callback API.
#ifndef WORMHOLE_CLIENT_STREAM_GRPC_TRANSPORT_H_
#define WORMHOLE_CLIENT_STREAM_GRPC_TRANSPORT_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "client/stream/explainer.h"
#include "client/stream/grpc_channels.h"
#include "client/stream/grpc_closer.h"
#include "client/stream/proxy.h"
#include "client/stream/route.h"
#include "client/stream/transport.h"
#include "client/stream/wait_group.h"
#include "proto/rpc/awake_threads.h"
#include "proto/sync/mutex.h"
#include "proto/sync/threads.h"

namespace wormhole {

// Streams with the same target and credentials share one connection, which closes with the last of
// them. Streams to a target with several addresses take these in turns.
class GrpcTransport : public Transport {
 public:
  // Reads the environment's proxies, once: other threads may change the environment later.
  GrpcTransport();
  explicit GrpcTransport(ProxySettings proxies);

  // INVALID_ARGUMENT: a PEM that TLS cannot use, a proxy that is none, a zone without interface.
  // FAILED_PRECONDITION: this machine has no certificate authorities. RESOURCE_EXHAUSTED: the
  // system does not give the threads that gRPC needs; Check stops trying that once it has worked.
  absl::Status Check(const StreamTarget& target) override;
  std::shared_ptr<Stream> Open(const StreamTarget& target,
                               std::shared_ptr<StreamListener> listener) override;
  // gRPC's own threads end with the last channel of the process: this waits for them if that was
  // one of ours.
  std::string AwaitGone(std::chrono::steady_clock::time_point deadline) override;

 private:
  absl::Status Rehearse();
  std::shared_ptr<rpc::AwakeThreads> Awake();
  // The next of several routes whose relay is not known to be away; if all are, the next.
  const Route& NextRoute(const StreamTarget& target, const std::vector<Route>& routes,
                         Security security);

  const ProxySettings proxies_;
  const std::shared_ptr<sync::Threads> threads_ = std::make_shared<sync::Threads>();
  const std::shared_ptr<WaitGroup> streams_ = std::make_shared<WaitGroup>();
  const std::shared_ptr<GrpcCloser> closer_ = std::make_shared<GrpcCloser>(threads_);
  const std::shared_ptr<Explainer> explainer_ = std::make_shared<Explainer>(threads_);
  const std::shared_ptr<GrpcChannels> channels_ = std::make_shared<GrpcChannels>(closer_);
  sync::Mutex mutex_;
  std::weak_ptr<rpc::AwakeThreads> awake_ WORMHOLE_GUARDED_BY(mutex_);  // of the open streams
  size_t turn_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  bool rehearsed_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_GRPC_TRANSPORT_H_
