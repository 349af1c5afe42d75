#include "relay/monitor.h"

#include "absl/time/clock.h"

namespace wormhole::relay {

Monitor::Monitor(const RelayConfig&) : started_at_(absl::Now()), store_health_(started_at_) {}

void Monitor::OnEvent(const ChannelEvent&) {}

void Monitor::OnFrame(const std::string&, size_t) {}

void Monitor::OnStreamOver(const StreamReport&) {}

void Monitor::OnTrouble(const absl::Status& status) { store_health_.Note(status, absl::Now()); }

}  // namespace wormhole::relay
