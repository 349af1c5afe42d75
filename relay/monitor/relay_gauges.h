// What a scrape finds as it is at that moment: what there is of channels and streams, whether the
// store works and the clock is right, and what the process uses. What is counted from the start on
// is in metrics.h.
#ifndef WORMHOLE_RELAY_MONITOR_RELAY_GAUGES_H_
#define WORMHOLE_RELAY_MONITOR_RELAY_GAUGES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"
#include "relay/clock/clock.h"
#include "relay/switchboard/switchboard_view.h"

namespace wormhole::relay {

// Where the values come from. Called by any thread, once for each scrape, while the gauges are
// collected.
struct GaugeSources {
  std::string version;
  absl::Time started_at;
  uint16_t public_port = 0;   // whose connections are counted
  std::string public_socket;  // the same, when it is a path
  std::function<SwitchboardCounts()> counts;
  std::function<bool()> store_works;
  std::function<bool()> draining;
  std::function<RelayClock::State()> clock;
  // Running totals; null: none is ever lost.
  std::function<uint64_t()> events_lost = nullptr;
  std::function<uint64_t()> log_lines_lost = nullptr;
};

// Thread-safe. Not to be collected after what the sources look at has gone.
class RelayGauges final : public prometheus::Collectable {
 public:
  explicit RelayGauges(GaugeSources sources);

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const GaugeSources sources_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_RELAY_GAUGES_H_
