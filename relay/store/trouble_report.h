// Tells when a store begins to fail and when it works again.
#ifndef WORMHOLE_RELAY_STORE_TROUBLE_REPORT_H_
#define WORMHOLE_RELAY_STORE_TROUBLE_REPORT_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace wormhole::relay {

// Not thread-safe.
class TroubleReport {
 public:
  // Why the store fails; OK: it works again.
  using Tell = std::function<void(const absl::Status& status)>;
  // The time since a fixed moment, never going back.
  using SteadyNow = std::function<absl::Duration()>;

  // While it fails it is told again at this interval, with the latest reason.
  static constexpr absl::Duration kInterval = absl::Minutes(1);

  // `tell` may be empty.
  TroubleReport(Tell tell, SteadyNow now);

  void Failed(const absl::Status& why);
  void Worked();

  // Since the last word of the two.
  bool failing() const { return failing_; }

 private:
  const Tell tell_;
  const SteadyNow now_;
  bool failing_ = false;
  absl::Duration last_;  // when it was told, if it fails
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_TROUBLE_REPORT_H_
