#include "relay/store/trouble_report.h"

#include <utility>

namespace wormhole::relay {

TroubleReport::TroubleReport(Tell tell, SteadyNow now)
    : tell_(std::move(tell)), now_(std::move(now)) {}

void TroubleReport::Failed(const absl::Status& why) {
  if (!tell_) return;
  const absl::Duration now = now_();
  if (std::exchange(failing_, true) && now - last_ < kInterval) return;
  last_ = now;
  tell_(why);
}

void TroubleReport::Worked() {
  if (std::exchange(failing_, false)) tell_(absl::OkStatus());
}

}  // namespace wormhole::relay
