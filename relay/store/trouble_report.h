// Tells why a store fails, and when it works again.
#ifndef WORMHOLE_RELAY_STORE_TROUBLE_REPORT_H_
#define WORMHOLE_RELAY_STORE_TROUBLE_REPORT_H_

#include <functional>
#include <utility>

#include "absl/status/status.h"

namespace wormhole::relay {

// Not thread-safe.
class TroubleReport {
 public:
  // Why the store fails, with each failure; OK, once: it works again. StoreHealth says which of
  // them the log needs.
  using Tell = std::function<void(const absl::Status& status)>;

  // `tell` may be empty.
  explicit TroubleReport(Tell tell) : tell_(std::move(tell)) {}

  void Failed(const absl::Status& why) {
    failing_ = true;
    if (tell_) tell_(why);
  }
  void Worked() {
    if (std::exchange(failing_, false) && tell_) tell_(absl::OkStatus());
  }

  // Since the last of these two calls.
  bool failing() const { return failing_; }

 private:
  Tell tell_;
  bool failing_ = false;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_TROUBLE_REPORT_H_
