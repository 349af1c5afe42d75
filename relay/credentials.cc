#include "relay/credentials.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_credentials_options.h"

namespace wormhole::relay {
namespace {

// Renewals happen weeks ahead; this only bounds how long an operator waits to see the new one.
constexpr unsigned kRefreshSeconds = 5;

// A line `-----BEGIN ... <kind>-----`, whatever the system that wrote it ends its lines with.
bool HoldsPem(const std::string& text, std::string_view kind) {
  const std::string rest = std::string(kind) + "-----";
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.starts_with("-----BEGIN ") && line.ends_with(rest)) return true;
  }
  return false;
}

// gRPC only logs about a file that it cannot use, and then refuses every connection.
absl::Status CheckPem(std::string_view flag, const std::string& path, std::string_view kind) {
  const auto refuse = [&](std::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(flag), "=", path, ": ", std::string(what)));
  };
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();  // catches what a folder throws
  if (!file) return refuse("cannot be read");
  const std::string text = content.str();
  if (!HoldsPem(text, kind)) return refuse(absl::StrCat("holds no PEM ", std::string(kind)));
  return absl::OkStatus();
}

// A certificate and a key that can be used, and together. gRPC would refuse every connection.
absl::Status CheckPair(const TlsFiles& files) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()),
                                                                  &SSL_CTX_free);
  if (context == nullptr) return absl::ResourceExhaustedError("OpenSSL has no memory");
  // Nobody is there to type a password.
  SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return -1; });
  absl::Status status;
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.cert.c_str()) != 1) {
    status = absl::InvalidArgumentError(
        absl::StrCat("--tls-cert=", files.cert, ": OpenSSL cannot use this certificate"));
  } else if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    status = absl::InvalidArgumentError(absl::StrCat(
        "--tls-key=", files.key, ": is not the key of the certificate in --tls-cert=", files.cert,
        ", or cannot be read without a password"));
  }
  ERR_clear_error();
  return status;
}

// Every block that says CERTIFICATE is one. gRPC would let nobody in.
absl::Status CheckClientCa(const std::string& path) {
  const absl::Status pem = CheckPem("--tls-client-ca", path, "CERTIFICATE");
  if (!pem.ok()) return pem;
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(),
                                                                      &X509_STORE_free);
  if (store == nullptr) return absl::ResourceExhaustedError("OpenSSL has no memory");
  const bool good = X509_STORE_load_file(store.get(), path.c_str()) == 1;
  ERR_clear_error();
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--tls-client-ca=", path, ": OpenSSL cannot use a certificate in it"));
}

absl::Status CheckFiles(const TlsFiles& files) {
  absl::Status status = CheckPem("--tls-cert", files.cert, "CERTIFICATE");
  if (status.ok()) status = CheckPem("--tls-key", files.key, "PRIVATE KEY");
  if (status.ok()) status = CheckPair(files);
  if (status.ok() && !files.client_ca.empty()) {
    status = CheckClientCa(files.client_ca);
  }
  return status;
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
