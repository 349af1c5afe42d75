#include "client/stream/default_transport.h"
#include "client/stream/grpc_transport.h"

namespace wormhole {

std::shared_ptr<Transport> MakeDefaultTransport() { return std::make_shared<GrpcTransport>(); }

}  // namespace wormhole
