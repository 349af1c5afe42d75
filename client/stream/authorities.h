// The certificate authorities of this machine, which TLS trusts when nobody names others.
#ifndef WORMHOLE_CLIENT_STREAM_AUTHORITIES_H_
#define WORMHOLE_CLIENT_STREAM_AUTHORITIES_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace wormhole {

// Where gRPC looks for them.
struct AuthorityPlaces {
  std::vector<std::string> files;
  std::vector<std::string> folders;

  // `get` is std::getenv or the like: $GRPC_DEFAULT_SSL_ROOTS_FILE_PATH and
  // $GRPC_SYSTEM_SSL_ROOTS_DIR come first.
  static AuthorityPlaces From(const std::function<const char*(const char*)>& get);
};

// FAILED_PRECONDITION, reason kInternal, when none of these places has a certificate, as in a slim
// container: without any, no relay's certificate can be good. Reads one place after the other,
// until one has a certificate.
absl::Status CheckAuthorities(const AuthorityPlaces& places);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_AUTHORITIES_H_
