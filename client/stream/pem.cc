#include "client/stream/pem.h"

#include "absl/strings/str_cat.h"
#include "client/core/failure.h"
#include "proto/tls/pem.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

absl::Status Named(std::string_view member, const absl::Status& status) {
  if (status.ok()) return status;
  return core::Failure(
      Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
      absl::StrCat(absl::string_view(member.data(), member.size()), " ", status.message()));
}

}  // namespace

absl::Status CheckPems(const Tls& tls) {
  absl::Status status;
  if (!tls.root_certificates.empty()) {
    status = Named("Tls::root_certificates", tls::CheckCertificates(tls.root_certificates));
  }
  if (!status.ok() || tls.certificate_chain.empty()) return status;
  status = Named("Tls::certificate_chain", tls::CheckCertificates(tls.certificate_chain));
  if (status.ok()) status = Named("Tls::private_key", tls::CheckPrivateKey(tls.private_key));
  if (!status.ok()) return status;
  return Named("Tls::private_key", tls::CheckKeyFits(tls.certificate_chain, tls.private_key));
}

}  // namespace wormhole
