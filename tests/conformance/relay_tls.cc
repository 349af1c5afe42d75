#include "tests/conformance/relay_tls.h"

namespace wormhole::conformance {
namespace {

constexpr char kHere[] = "IP:127.0.0.1";
constexpr char kElsewhere[] = "DNS:elsewhere.example,IP:127.0.0.2";

std::shared_ptr<grpc::ServerCredentials> CredentialsOf(const tls::TestCertificate& own) {
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({.private_key = own.key, .cert_chain = own.certificate});
  return grpc::SslServerCredentials(options);
}

}  // namespace

RelayCertificates::RelayCertificates()
    : authority_(tls::MakeTestCertificate({.names = ""})),
      stranger_(tls::MakeTestCertificate({.names = ""})),
      good_(tls::MakeTestCertificate({.names = kHere, .signer = &authority_})),
      unknown_(tls::MakeTestCertificate({.names = kHere, .signer = &stranger_})),
      other_name_(tls::MakeTestCertificate({.names = kElsewhere, .signer = &authority_})),
      expired_(tls::MakeTestCertificate(
          {.names = kHere, .valid_from = -7200, .valid_until = -3600, .signer = &authority_})),
      self_signed_(tls::MakeTestCertificate({.names = kHere})) {}

std::shared_ptr<grpc::ServerCredentials> RelayCertificates::Of(RelayTls tls) const {
  switch (tls) {
    case RelayTls::kGood:
      return CredentialsOf(good_);
    case RelayTls::kUnknown:
      return CredentialsOf(unknown_);
    case RelayTls::kOtherName:
      return CredentialsOf(other_name_);
    case RelayTls::kExpired:
      return CredentialsOf(expired_);
    case RelayTls::kSelfSigned:
      return CredentialsOf(self_signed_);
    case RelayTls::kNotAsked:
    case RelayTls::kPlaintext:
      break;
  }
  return grpc::InsecureServerCredentials();
}

}  // namespace wormhole::conformance
