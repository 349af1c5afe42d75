// Certificates as tests need them: good ones and bad ones.
#ifndef WORMHOLE_PROTO_TLS_TESTING_CERTIFICATES_H_
#define WORMHOLE_PROTO_TLS_TESTING_CERTIFICATES_H_

#include <cstdint>
#include <string>

namespace wormhole::tls {

struct TestCertificate {
  std::string certificate;  // PEM
  std::string key;          // PEM
};

struct TestCertificateOptions {
  // As OpenSSL writes them in configuration files; empty: an authority.
  std::string names = "DNS:localhost,IP:127.0.0.1";
  // From now on, in seconds.
  int64_t valid_from = -3600;
  int64_t valid_until = 3600;
  const TestCertificate* signer = nullptr;  // null: itself
};

// From one thread at a time. Ends the process when OpenSSL does not do it.
TestCertificate MakeTestCertificate(const TestCertificateOptions& options);

}  // namespace wormhole::tls

#endif  // WORMHOLE_PROTO_TLS_TESTING_CERTIFICATES_H_
