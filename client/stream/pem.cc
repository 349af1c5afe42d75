#include "client/stream/pem.h"

#include "absl/strings/str_cat.h"
#include "client/core/outcome.h"
#include "client/stream/openssl_handles.h"

namespace wormhole {
namespace {

constexpr char kBeginCertificate[] = "-----BEGIN CERTIFICATE-----";

absl::Status Invalid(std::string_view message) {
  return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument, message);
}

absl::Status Prefixed(std::string_view name, const absl::Status& status) {
  if (status.ok()) return status;
  return Invalid(absl::StrCat(absl::string_view(name.data(), name.size()), " ", status.message()));
}

Bio Reader(std::string_view pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

Certificate ReadCertificate(std::string_view pem) {
  const Bio bio = Reader(pem);
  return Certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

// Notes that a password was asked for, and gives none: nobody is asked on a terminal.
int NotePassword(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Key ReadKey(std::string_view pem, bool* asked) {
  const Bio bio = Reader(pem);
  return Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NotePassword, asked));
}

}  // namespace

absl::Status CheckCertificates(std::string_view pem) {
  const ErrorsCleared cleared;
  int count = 0;
  for (size_t at = pem.find(kBeginCertificate); at != std::string_view::npos;
       at = pem.find(kBeginCertificate, at + 1)) {
    ++count;
    // Up to the next one, or a block without an end would be passed by for the one behind it.
    const size_t next = pem.find(kBeginCertificate, at + 1);
    if (ReadCertificate(pem.substr(at, next - at)) == nullptr) {
      return Invalid(absl::StrCat("holds a block, number ", count,
                                  ", that says CERTIFICATE and is "
                                  "none: it is cut or damaged; get the file anew"));
    }
  }
  if (count > 0) return absl::OkStatus();
  return Invalid("holds no certificate; name a file with -----BEGIN CERTIFICATE----- in it");
}

absl::Status CheckPrivateKey(std::string_view pem) {
  const ErrorsCleared cleared;
  bool asked = false;
  if (ReadKey(pem, &asked) != nullptr) return absl::OkStatus();
  if (asked) {
    return Invalid(
        "holds a key with a password, which nobody can be asked for here; take it off with "
        "`openssl pkey -in KEY -out NEW` and keep NEW private");
  }
  if (pem.find("PRIVATE KEY-----") == std::string_view::npos) {
    return Invalid("holds no private key; name a file with -----BEGIN PRIVATE KEY----- in it");
  }
  return Invalid("holds a private key that cannot be read: it is cut or damaged; get it anew");
}

absl::Status CheckKeyFits(std::string_view chain, std::string_view key) {
  const ErrorsCleared cleared;
  const Certificate certificate = ReadCertificate(chain);
  bool asked = false;
  const Key own = ReadKey(key, &asked);
  if (certificate != nullptr && own != nullptr &&
      X509_check_private_key(certificate.get(), own.get()) == 1) {
    return absl::OkStatus();
  }
  return Invalid(
      "is not the key of the certificate; name the two that belong together, the client's own "
      "certificate first in its file");
}

absl::Status CheckPems(const Tls& tls) {
  absl::Status status;
  if (!tls.root_certificates.empty()) {
    status = Prefixed("Tls::root_certificates", CheckCertificates(tls.root_certificates));
  }
  if (!status.ok() || tls.certificate_chain.empty()) return status;
  status = Prefixed("Tls::certificate_chain", CheckCertificates(tls.certificate_chain));
  if (status.ok()) status = Prefixed("Tls::private_key", CheckPrivateKey(tls.private_key));
  if (!status.ok()) return status;
  return Prefixed("Tls::private_key", CheckKeyFits(tls.certificate_chain, tls.private_key));
}

}  // namespace wormhole
