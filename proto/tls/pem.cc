#include "proto/tls/pem.h"

#include <ctime>

#include "absl/strings/str_cat.h"
#include "proto/tls/openssl_handles.h"

namespace wormhole::tls {
namespace {

constexpr char kBeginCertificate[] = "-----BEGIN CERTIFICATE-----";

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
      return absl::InvalidArgumentError(
          absl::StrCat("holds a block, number ", count,
                       ", that says CERTIFICATE and is "
                       "none: it is cut or damaged; get the file anew"));
    }
  }
  if (count > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "holds no certificate; name a file with -----BEGIN CERTIFICATE----- in it");
}

absl::Status CheckPrivateKey(std::string_view pem) {
  const ErrorsCleared cleared;
  bool asked = false;
  if (ReadKey(pem, &asked) != nullptr) return absl::OkStatus();
  if (asked) {
    return absl::InvalidArgumentError(
        "holds a key with a password, which nobody can be asked for here; take it off with "
        "`openssl pkey -in KEY -out NEW` and keep NEW private");
  }
  if (pem.find("PRIVATE KEY-----") == std::string_view::npos) {
    return absl::InvalidArgumentError(
        "holds no private key; name a file with -----BEGIN PRIVATE KEY----- in it");
  }
  return absl::InvalidArgumentError(
      "holds a private key that cannot be read: it is cut or damaged; get it anew");
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
  return absl::InvalidArgumentError(
      "is not the key of the certificate; name the two that belong together, the one that is its "
      "holder's first in its file");
}

absl::StatusOr<absl::Time> EndOfCertificate(std::string_view chain) {
  const ErrorsCleared cleared;
  const Certificate certificate = ReadCertificate(chain);
  std::tm end = {};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) {
    return absl::InvalidArgumentError("does not say when its certificate ends; get it anew");
  }
  return absl::FromTM(end, absl::UTCTimeZone());
}

}  // namespace wormhole::tls
