// Whether the contents of PEM files are what TLS needs of them. gRPC finds out when it connects or
// is connected to, and then only says that it has no address, or nothing.
#ifndef WORMHOLE_PROTO_TLS_PEM_H_
#define WORMHOLE_PROTO_TLS_PEM_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace wormhole::tls {

// INVALID_ARGUMENT; the message begins with a verb and goes behind the name of what holds the PEM:
// "holds no certificate; name ...". From any thread.

// One certificate or more, each of them whole.
absl::Status CheckCertificates(std::string_view pem);
// A private key that needs no password.
absl::Status CheckPrivateKey(std::string_view pem);
// `key` is that of the first certificate in `chain`; both have been checked.
absl::Status CheckKeyFits(std::string_view chain, std::string_view key);
// When the first certificate in `chain`, which has been checked, ends.
absl::StatusOr<absl::Time> EndOfCertificate(std::string_view chain);

}  // namespace wormhole::tls

#endif  // WORMHOLE_PROTO_TLS_PEM_H_
