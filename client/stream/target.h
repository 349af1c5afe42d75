// Relay addresses: gRPC's target syntax, checked before anything is sent.
#ifndef WORMHOLE_CLIENT_STREAM_TARGET_H_
#define WORMHOLE_CLIENT_STREAM_TARGET_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "client/stream/transport.h"

namespace wormhole {

// Whether everything that `relay` names is on this machine: `localhost`, 127.0.0.0/8, ::1 or a Unix
// socket. INVALID_ARGUMENT for what is no address (client/stream/relay_address.h). Resolves no
// name.
absl::StatusOr<bool> IsLoopback(std::string_view relay);

// kPlaintext or kTls: what Security::kAuto means here. INVALID_ARGUMENT when the parts of `target`
// cannot work together: a bad address, a bearer token that would travel in the clear or cannot be
// sent, certificates without their key or for plaintext.
absl::StatusOr<Security> CheckTarget(const StreamTarget& target);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_TARGET_H_
