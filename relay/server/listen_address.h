// Whether the relay can listen on an address, and why not when it cannot: gRPC does not report
// errno.
#ifndef WORMHOLE_RELAY_SERVER_LISTEN_ADDRESS_H_
#define WORMHOLE_RELAY_SERVER_LISTEN_ADDRESS_H_

#include <string>

#include "absl/status/status.h"

namespace wormhole::relay {

// Binds every address that `listen` (HOST:PORT) stands for and releases them; does not listen. gRPC
// would start with one of several (`localhost` is two), and clients of the other would find nobody.
// UNAVAILABLE with one line for people. Blocks for as long as the name takes to resolve.
absl::Status ProbeListen(const std::string& listen);

// `listen` with the port that the kernel picked.
std::string WithPort(const std::string& listen, int port);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_LISTEN_ADDRESS_H_
