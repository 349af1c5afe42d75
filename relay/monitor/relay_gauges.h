// The values that a scrape looks up: channels and streams, whether the store works and the clock is
// right, and what the process uses. metrics.h has the counts since the start.
#ifndef WORMHOLE_RELAY_MONITOR_RELAY_GAUGES_H_
#define WORMHOLE_RELAY_MONITOR_RELAY_GAUGES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"
#include "relay/clock/clock.h"
#include "relay/switchboard/switchboard_view.h"

namespace wormhole::relay {

// Where the values come from. A scrape calls each function once, on any thread.
struct GaugeSources {
  std::string version;
  absl::Time started_at;
  uint16_t public_port = 0;   // whose connections are counted
  std::string public_socket;  // the same, when it is a path
  std::function<SwitchboardCounts()> counts;
  std::function<bool()> store_works;
  std::function<bool()> draining;
  std::function<RelayClock::State()> clock;
  // Null, or nothing: there is no certificate.
  std::function<std::optional<absl::Time>()> certificate_end = nullptr;
  // Totals since the start. Null: nothing is ever lost.
  std::function<uint64_t()> events_lost = nullptr;
  std::function<uint64_t()> log_lines_lost = nullptr;
};

// Thread-safe. Whatever the sources read outlives the last scrape.
class RelayGauges final : public prometheus::Collectable {
 public:
  explicit RelayGauges(GaugeSources sources);

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const GaugeSources sources_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_RELAY_GAUGES_H_
