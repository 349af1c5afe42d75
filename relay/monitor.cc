#include "relay/monitor.h"

#include <string>

#include "absl/time/clock.h"
#include "relay/stream_line.h"

namespace wormhole::relay {

Monitor::Monitor(const RelayConfig&, Log* log)
    : log_(log),
      started_at_(absl::Now()),
      store_health_(started_at_),
      events_([] { return absl::Now(); }) {}

void Monitor::OnEvent(const ChannelEvent& event) { events_.Note(event); }

void Monitor::OnFrame(const std::string&, size_t) {}

void Monitor::OnStreamOver(const StreamReport& report) {
  events_.Note(report);
  if (log_ != nullptr && log_->Takes(Log::Level::kInfo)) {
    log_->Info("stream ended", StreamFields(report, log_->addresses()));
  }
}

void Monitor::OnTrouble(const absl::Status& status) {
  store_health_.Note(status, absl::Now());
  if (log_ == nullptr) return;
  if (status.ok()) return log_->Info("the store works again");
  log_->Write(Log::Level::kError, "clients are sent away until the store works again",
              {{"why", std::string(status.message())}});
}

}  // namespace wormhole::relay
