// Certificates as tests need them: good ones and bad ones.
#ifndef WORMHOLE_CLIENT_STREAM_CERTIFICATES_FOR_TEST_H_
#define WORMHOLE_CLIENT_STREAM_CERTIFICATES_FOR_TEST_H_

#include <string>

namespace wormhole {

struct TestCertificate {
  std::string certificate;  // PEM
  std::string key;          // PEM
};

struct TestCertificateOptions {
  // As OpenSSL writes them in configuration files; empty: an authority.
  std::string names = "DNS:localhost,IP:127.0.0.1";
  // From now on, in seconds.
  long valid_from = -3600;
  long valid_until = 3600;
  const TestCertificate* signer = nullptr;  // null: itself
};

// Ends the process when OpenSSL does not do it.
TestCertificate MakeTestCertificate(const TestCertificateOptions& options);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_CERTIFICATES_FOR_TEST_H_
