// Whether the contents of PEM files are what TLS needs of them. gRPC finds out when it connects,
// and then only says that it has no address.
#ifndef WORMHOLE_CLIENT_STREAM_PEM_H_
#define WORMHOLE_CLIENT_STREAM_PEM_H_

#include <string_view>

#include "absl/status/status.h"
#include "client/security.h"

namespace wormhole {

// INVALID_ARGUMENT; the message begins with a verb and goes behind the name of what holds the PEM:
// "holds no certificate; name ...".

// One certificate or more, each of them whole.
absl::Status CheckCertificates(std::string_view pem);
// A private key that needs no password.
absl::Status CheckPrivateKey(std::string_view pem);
// `key` is that of the first certificate in `chain`; both have been checked.
absl::Status CheckKeyFits(std::string_view chain, std::string_view key);

// All of it, with the names of the members.
absl::Status CheckPems(const Tls& tls);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_PEM_H_
