#include "client/stream/authorities.h"

#include <dirent.h>

#include <fstream>
#include <memory>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "client/core/failure.h"
#include "proto/tls/pem.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

// The first certificate of a bundle begins within it, comments included.
constexpr size_t kMaxFirstBytes = 64 * 1024;
constexpr char kEnd[] = "-----END CERTIFICATE-----";

bool HasCertificate(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  std::string text(kMaxFirstBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  const size_t end = text.find(kEnd);
  if (end == std::string::npos) return false;
  return tls::CheckCertificates(std::string_view(text).substr(0, end + sizeof(kEnd) - 1)).ok();
}

bool AnyHasCertificate(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(folder.c_str()), closedir);
  if (entries == nullptr) return false;
  while (const dirent* entry = readdir(entries.get())) {
    if (entry->d_name[0] != '.' && HasCertificate(absl::StrCat(folder, "/", entry->d_name))) {
      return true;
    }
  }
  return false;
}

}  // namespace

AuthorityPlaces AuthorityPlaces::From(const std::function<const char*(const char*)>& get) {
  AuthorityPlaces places;
  if (const char* file = get("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH")) places.files.push_back(file);
  if (const char* folder = get("GRPC_SYSTEM_SSL_ROOTS_DIR")) places.folders.push_back(folder);
  for (const char* file :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/cacert.pem",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/usr/share/grpc/roots.pem"}) {
    places.files.push_back(file);
  }
  for (const char* folder :
       {"/etc/ssl/certs", "/system/etc/security/cacerts", "/usr/local/share/certs",
        "/etc/pki/tls/certs", "/etc/openssl/certs"}) {
    places.folders.push_back(folder);
  }
  return places;
}

absl::Status CheckAuthorities(const AuthorityPlaces& places) {
  for (const std::string& file : places.files) {
    if (HasCertificate(file)) return absl::OkStatus();
  }
  for (const std::string& folder : places.folders) {
    if (AnyHasCertificate(folder)) return absl::OkStatus();
  }
  return core::Failure(
      Reason::kInternal, absl::StatusCode::kFailedPrecondition,
      "install the package ca-certificates, or name the relay's authorities with --tls-ca or "
      "Tls::root_certificates: this machine has no certificate authorities, so that no relay's "
      "certificate could be trusted");
}

}  // namespace wormhole
