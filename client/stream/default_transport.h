// The transport of a Client that nobody gives one. The linker decides which: //client:wormhole
// brings gRPC's.
#ifndef WORMHOLE_CLIENT_STREAM_DEFAULT_TRANSPORT_H_
#define WORMHOLE_CLIENT_STREAM_DEFAULT_TRANSPORT_H_

#include <memory>

#include "client/stream/transport.h"

namespace wormhole {

// Never null.
std::shared_ptr<Transport> MakeDefaultTransport();

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_DEFAULT_TRANSPORT_H_
