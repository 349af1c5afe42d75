// Whether what a caller gave for TLS can be used.
#ifndef WORMHOLE_CLIENT_STREAM_PEM_H_
#define WORMHOLE_CLIENT_STREAM_PEM_H_

#include "absl/status/status.h"
#include "wormhole/security.h"

namespace wormhole {

// INVALID_ARGUMENT, with the name of the member and what is wrong with it (proto/tls/pem.h).
absl::Status CheckPems(const Tls& tls);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_PEM_H_
