// When the relay's certificate ends, and that somebody hears of it before.
#ifndef WORMHOLE_RELAY_SERVER_CERTIFICATE_WATCH_H_
#define WORMHOLE_RELAY_SERVER_CERTIFICATE_WATCH_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "proto/sync/mutex.h"

namespace wormhole::relay {

// Which warning is due: thirty days before the end, a week, a day, and when it has come; each once
// for a certificate, and of several that are due at once the last. Pure.
class ExpiryWarnings {
 public:
  bool IsDue(absl::Time end, absl::Time now);

 private:
  absl::Time end_ = absl::InfiniteFuture();
  size_t told_ = 0;  // of the warnings for end_
};

// Thread-safe.
class CertificateWatch {
 public:
  // Somebody should hear that the certificate ends in so long, which is negative if it has.
  using Teller = std::function<void(absl::Duration left)>;

  // `path` is that of --tls-cert, whose content TLS can use; empty: there is no certificate.
  CertificateWatch(std::string path, Teller teller)
      : path_(std::move(path)), teller_(std::move(teller)) {}

  // Reads the file, which may be another by now. One that cannot be read changes nothing: gRPC goes
  // on with the last one that could. Blocks on the disk. From one thread at a time.
  void Poll(absl::Time now) WORMHOLE_EXCLUDES(mutex_);

  // Nothing: there is no certificate.
  std::optional<absl::Time> end() const WORMHOLE_EXCLUDES(mutex_);

 private:
  const std::string path_;
  const Teller teller_;
  ExpiryWarnings warnings_;  // of the thread that polls

  mutable sync::Mutex mutex_;
  std::optional<absl::Time> end_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_CERTIFICATE_WATCH_H_
