// The connections of a transport.
#ifndef WORMHOLE_CLIENT_STREAM_GRPC_CHANNELS_H_
#define WORMHOLE_CLIENT_STREAM_GRPC_CHANNELS_H_

#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "client/stream/grpc_closer.h"
#include "client/stream/route.h"
#include "proto/sync/mutex.h"
#include "wormhole/security.h"

namespace grpc {
class Channel;
}

namespace wormhole {

// Streams with the same way share one channel, which closes when the last of them lets go of it.
// Any thread.
class GrpcChannels {
 public:
  explicit GrpcChannels(std::shared_ptr<GrpcCloser> closer);

  struct Way {
    const Route& route;
    Security security = Security::kTls;  // not kAuto
    const Tls& tls;
  };

  std::shared_ptr<grpc::Channel> To(const Way& way);

  // New streams do not get this channel any more. Streams that have it keep it.
  void Forget(const std::shared_ptr<grpc::Channel>& channel);

 private:
  // gRPC's target, the authority, what a proxy is to connect to, the security, and the three PEMs.
  using Key = std::tuple<std::string, std::string, std::string, Security, std::string, std::string,
                         std::string>;

  const std::shared_ptr<GrpcCloser> closer_;
  sync::Mutex mutex_;
  std::map<Key, std::weak_ptr<grpc::Channel>> channels_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_GRPC_CHANNELS_H_
