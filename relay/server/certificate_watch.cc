#include "relay/server/certificate_watch.h"

#include <array>

#include "absl/status/statusor.h"
#include "proto/tls/pem.h"
#include "relay/config/pem_file.h"

namespace wormhole::relay {
namespace {

const std::array kBefore = {absl::Hours(24 * 30), absl::Hours(24 * 7), absl::Hours(24),
                            absl::ZeroDuration()};

}  // namespace

bool ExpiryWarnings::IsDue(absl::Time end, absl::Time now) {
  if (end != end_) {
    end_ = end;
    told_ = 0;
  }
  size_t due = 0;
  while (due < kBefore.size() && end - now <= kBefore[due]) ++due;
  if (due <= told_) return false;
  told_ = due;
  return true;
}

void CertificateWatch::Poll(absl::Time now) {
  if (path_.empty()) return;
  const absl::StatusOr<std::string> chain = ReadCertificates({"--tls-cert", path_});
  if (!chain.ok()) return;
  const absl::StatusOr<absl::Time> end = tls::EndOfCertificate(*chain);
  if (!end.ok()) return;
  {
    sync::MutexLock lock(mutex_);
    end_ = *end;
  }
  if (warnings_.IsDue(*end, now)) teller_(*end - now);
}

std::optional<absl::Time> CertificateWatch::end() const {
  sync::MutexLock lock(mutex_);
  return end_;
}

}  // namespace wormhole::relay
