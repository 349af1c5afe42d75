#include "relay/server/credentials.h"

#include <memory>
#include <string>

#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "relay/config/pem_file.h"

namespace wormhole::relay {
namespace {

// Operators renew weeks ahead; this only bounds how long they wait to see the new certificate.
constexpr unsigned kRefreshSeconds = 5;

// gRPC only logs about a file that it cannot use, and then refuses every connection.
absl::Status CheckFiles(const TlsFiles& files) {
  const NamedFile certificate = {"--tls-cert", files.cert};
  const absl::StatusOr<std::string> chain = ReadCertificates(certificate);
  if (!chain.ok()) return chain.status();
  const absl::Status key = ReadPrivateKey({"--tls-key", files.key}, certificate, *chain).status();
  if (!key.ok() || files.client_ca.empty()) return key;
  return ReadCertificates({"--tls-client-ca", files.client_ca}).status();
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeCredentials(const TlsFiles& files) {
  if (!files.enabled()) return grpc::InsecureServerCredentials();
  const absl::Status readable = CheckFiles(files);
  if (!readable.ok()) return readable;
  namespace tls = grpc::experimental;
  tls::TlsServerCredentialsOptions options(std::make_shared<tls::FileWatcherCertificateProvider>(
      files.key, files.cert, files.client_ca, kRefreshSeconds));
  options.watch_identity_key_cert_pairs();
  if (files.client_ca.empty()) {
    options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  } else {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return tls::TlsServerCredentials(options);
}

}  // namespace wormhole::relay
