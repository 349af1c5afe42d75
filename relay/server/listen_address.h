// Whether an address can be listened on, with the reason when it cannot: gRPC keeps errno to
// itself.
#ifndef WORMHOLE_RELAY_SERVER_LISTEN_ADDRESS_H_
#define WORMHOLE_RELAY_SERVER_LISTEN_ADDRESS_H_

#include <string>

#include "absl/status/status.h"

namespace wormhole::relay {

// Binds every address that `listen` (HOST:PORT) stands for and lets go again; does not listen.
// gRPC would be content with one of several: `localhost` is two, and half a relay is none.
// UNAVAILABLE with one line for people. Blocks for as long as the name takes to resolve.
absl::Status ProbeListen(const std::string& listen);

// `listen` with its port replaced by the one that the kernel picked.
std::string WithPort(const std::string& listen, int port);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_LISTEN_ADDRESS_H_
