#include "relay/config/pem_file.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "proto/tls/pem.h"

namespace wormhole::relay {
namespace {

absl::Status Refuse(const NamedFile& file, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(file.flag), "=", file.path, ": ", std::string(what)));
}

absl::Status Check(const NamedFile& file, const absl::Status& sound) {
  if (sound.ok()) return sound;
  return Refuse(file, std::string(sound.message()));
}

}  // namespace

absl::StatusOr<std::string> ReadNamedFile(const NamedFile& file) {
  std::error_code unknown;  // ignored: what cannot be examined cannot be read either
  if (std::filesystem::is_directory(file.path, unknown)) return Refuse(file, "is a folder");
  std::ifstream stream(file.path, std::ios::binary);
  std::ostringstream content;
  content << stream.rdbuf();
  if (!stream) return Refuse(file, "cannot be read");
  if (content.str().empty()) return Refuse(file, "is empty");
  return content.str();
}

absl::StatusOr<std::string> ReadCertificates(const NamedFile& file) {
  absl::StatusOr<std::string> pem = ReadNamedFile(file);
  if (!pem.ok()) return pem;
  const absl::Status sound = Check(file, tls::CheckCertificates(*pem));
  if (!sound.ok()) return sound;
  return pem;
}

absl::StatusOr<std::string> ReadPrivateKey(const NamedFile& file, const NamedFile& certificate,
                                           std::string_view chain) {
  absl::StatusOr<std::string> pem = ReadNamedFile(file);
  if (!pem.ok()) return pem;
  absl::Status sound = Check(file, tls::CheckPrivateKey(*pem));
  if (!sound.ok()) return sound;
  sound = tls::CheckKeyFits(chain, *pem);
  if (sound.ok()) return pem;
  return Refuse(file, absl::StrCat(std::string(sound.message()), " (",
                                   std::string(certificate.flag), " is ", certificate.path, ")"));
}

}  // namespace wormhole::relay
