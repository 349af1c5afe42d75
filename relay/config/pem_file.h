// The files that TLS needs and flags name.
#ifndef WORMHOLE_RELAY_CONFIG_PEM_FILE_H_
#define WORMHOLE_RELAY_CONFIG_PEM_FILE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace wormhole::relay {

// What a flag says, e.g. {"--tls-cert", "/etc/relay.pem"}.
struct NamedFile {
  std::string_view flag;
  std::string path;
};

// INVALID_ARGUMENT, with flag and path, when the file cannot be used: it cannot be read, is empty,
// or is not what TLS needs (proto/tls/pem.h). Blocks on the disk.
absl::StatusOr<std::string> ReadNamedFile(const NamedFile& file);
absl::StatusOr<std::string> ReadCertificates(const NamedFile& file);
// `certificate` is the file with the certificate of this key, and `chain` its content.
absl::StatusOr<std::string> ReadPrivateKey(const NamedFile& file, const NamedFile& certificate,
                                           std::string_view chain);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CONFIG_PEM_FILE_H_
