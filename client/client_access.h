// A door for this project's tests and programs to what the public headers hide of a Client.
#ifndef WORMHOLE_CLIENT_CLIENT_ACCESS_H_
#define WORMHOLE_CLIENT_CLIENT_ACCESS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "client/engine/engine.h"
#include "client/stream/transport.h"
#include "wormhole/wormhole.h"

namespace wormhole {

// A friend of Client.
class ClientAccess {
 public:
  // As Client::Create, with streams of `transport`, or gRPC's if it is null. Transport names
  // protobuf types, so that ClientOptions, a public header, cannot have one.
  static absl::StatusOr<std::shared_ptr<Client>> WithTransport(std::shared_ptr<Transport> transport,
                                                               ClientOptions options = {});
  static const std::shared_ptr<Engine>& engine(const Client& client) { return client.engine_; }
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_CLIENT_ACCESS_H_
