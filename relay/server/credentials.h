// The public port's credentials: what the relay shows a client, and asks of it.
#ifndef WORMHOLE_RELAY_SERVER_CREDENTIALS_H_
#define WORMHOLE_RELAY_SERVER_CREDENTIALS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "grpcpp/security/server_credentials.h"
#include "relay/config/config.h"

namespace wormhole::relay {

// Plaintext without files. With files, TLS that reads them again every few seconds, so that
// renewing a certificate needs no restart. INVALID_ARGUMENT, naming flag and file, when a file
// cannot be read or is no PEM of its kind, or the key is not the certificate's. Later, a running
// relay ignores files that it cannot use and keeps what it has.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeCredentials(const TlsFiles& files);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_CREDENTIALS_H_
