// How a relay that misbehaves is spoken to, when the client has been told an authority to trust.
#ifndef WORMHOLE_TESTS_CONFORMANCE_RELAY_TLS_H_
#define WORMHOLE_TESTS_CONFORMANCE_RELAY_TLS_H_

#include <memory>
#include <string>

#include "grpcpp/security/server_credentials.h"
#include "proto/tls/testing/certificates.h"

namespace wormhole::conformance {

enum class RelayTls {
  kNotAsked,    // the client is told nothing of TLS
  kGood,        // of the authority, for this address
  kUnknown,     // of an authority that the client does not know
  kOtherName,   // of the authority, for another host
  kExpired,     // of the authority, an hour ago
  kSelfSigned,  // of nobody else
  kPlaintext,   // the relay has no TLS, and the client asks for it
};

// Drawn anew; not changed afterwards.
class RelayCertificates {
 public:
  RelayCertificates();

  // What the client is told to trust, PEM.
  const std::string& authority() const { return authority_.certificate; }
  std::shared_ptr<grpc::ServerCredentials> Of(RelayTls tls) const;

 private:
  const tls::TestCertificate authority_, stranger_;
  const tls::TestCertificate good_, unknown_, other_name_, expired_, self_signed_;
};

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_RELAY_TLS_H_
