// Streams over gRPC's callback API.
#ifndef WORMHOLE_CLIENT_STREAM_GRPC_TRANSPORT_H_
#define WORMHOLE_CLIENT_STREAM_GRPC_TRANSPORT_H_

#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "client/stream/transport.h"
#include "proto/sync/mutex.h"

namespace grpc {
class Channel;
}

namespace wormhole {

// Streams with the same target and credentials share one connection, which is closed with the last
// of them. A target with several addresses is taken in turns.
class GrpcTransport : public Transport {
 public:
  std::shared_ptr<Stream> Open(const StreamTarget& target,
                               std::shared_ptr<StreamListener> listener) override;

 private:
  // Relay, security that kAuto came to, and the three PEMs.
  using Key = std::tuple<std::string, Security, std::string, std::string, std::string>;

  std::shared_ptr<grpc::Channel> ChannelTo(const StreamTarget& target, Security security);

  sync::Mutex mutex_;
  std::map<Key, std::weak_ptr<grpc::Channel>> channels_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_GRPC_TRANSPORT_H_
