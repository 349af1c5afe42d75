#include "relay/monitor/relay_gauges.h"

#include <initializer_list>
#include <utility>

#include "relay/monitor/process_usage.h"

namespace wormhole::relay {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

struct Sample {
  std::vector<ClientMetric::Label> labels;
  double value;
};

MetricFamily Family(const char* name, const char* help, MetricType type,
                    std::initializer_list<Sample> samples) {
  MetricFamily family{.name = name, .help = help, .type = type, .metric = {}};
  for (const Sample& sample : samples) {
    ClientMetric metric;
    metric.label = sample.labels;
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = sample.value;
    family.metric.push_back(std::move(metric));
  }
  return family;
}

MetricFamily Gauge(const char* name, const char* help, double value) {
  return Family(name, help, MetricType::Gauge, {{{}, value}});
}

MetricFamily Counter(const char* name, const char* help, double value) {
  return Family(name, help, MetricType::Counter, {{{}, value}});
}

double Total(const std::function<uint64_t()>& source) {
  return source ? static_cast<double>(source()) : 0;
}

void AddSwitchboard(const SwitchboardCounts& counts, std::vector<MetricFamily>& families) {
  const auto number = [](size_t count) { return static_cast<double>(count); };
  families.push_back(
      Gauge("wormhole_apps", "App-ids that have an id in use or at rest.", number(counts.apps)));
  families.push_back(Family("wormhole_channels",
                            "Channel ids in the store: active ones, and ended ones that rest.",
                            MetricType::Gauge,
                            {{{{"state", "active"}}, number(counts.active_channels)},
                             {{{"state", "resting"}}, number(counts.resting_channels)}}));
  families.push_back(
      Family("wormhole_attached_sides",
             "Sides with a stream at this relay: alone, paired with the other side, or a receiver "
             "that waits for its channel.",
             MetricType::Gauge,
             {{{{"state", "alone"}}, number(counts.sides_alone)},
              {{{"state", "paired"}}, number(counts.sides_paired)},
              {{{"state", "waiting"}}, number(counts.waiting)}}));
  families.push_back(Gauge("wormhole_streams",
                           "Attach streams at this relay, those that have said nothing included.",
                           number(counts.streams)));
}

// Restarted, the relay goes by the machine's clock.
void AddClock(const RelayClock::State& clock, std::vector<MetricFamily>& families) {
  families.push_back(
      Gauge("wormhole_clock_error_seconds",
            "How far the machine's clock is ahead of the time that the relay goes by: 0, unless "
            "that clock was set by more than a minute since the relay has started, or is not that "
            "of the relays over the same store.",
            -absl::ToDoubleSeconds(clock.offset)));
  families.push_back(Gauge("wormhole_clock_outvoted",
                           "1 while most relays over the same store have another clock than this "
                           "one, which is not ready for new clients then.",
                           clock.outvoted ? 1 : 0));
  families.push_back(Counter("wormhole_clock_steps_total",
                             "Times that the machine's clock was set by more than a minute.",
                             static_cast<double>(clock.steps)));
}

void AddCertificate(const std::function<std::optional<absl::Time>()>& source,
                    std::vector<MetricFamily>& families) {
  const std::optional<absl::Time> end = source == nullptr ? std::nullopt : source();
  families.push_back(
      Gauge("wormhole_certificate_end_seconds",
            "When the certificate of clients' port ends, since unix epoch in "
            "seconds; infinite if there is none.",
            absl::ToDoubleSeconds(end.value_or(absl::InfiniteFuture()) - absl::UnixEpoch())));
}

void AddProcess(absl::Time started_at, const OpenDescriptors& open,
                std::vector<MetricFamily>& families) {
  families.push_back(Counter("process_cpu_seconds_total",
                             "User and system CPU time spent in seconds.", CpuSeconds()));
  families.push_back(
      Gauge("process_resident_memory_bytes", "Resident memory size in bytes.", ResidentBytes()));
  families.push_back(Gauge("wormhole_memory_limit_bytes",
                           "What the relay may have of memory before the kernel ends it, by its "
                           "control group; infinite if there is no limit.",
                           MemoryLimitBytes()));
  families.push_back(
      Gauge("process_open_fds", "Number of open file descriptors.", static_cast<double>(open.all)));
  families.push_back(
      Gauge("process_max_fds", "Maximum number of open file descriptors.", MaxDescriptors()));
  families.push_back(Gauge("process_start_time_seconds",
                           "Start time of the process since unix epoch in seconds.",
                           absl::ToDoubleSeconds(started_at - absl::UnixEpoch())));
}

}  // namespace

RelayGauges::RelayGauges(GaugeSources sources) : sources_(std::move(sources)) {}

std::vector<MetricFamily> RelayGauges::Collect() const {
  std::vector<MetricFamily> families;
  families.push_back(Family("wormhole_build_info", "Always 1; the version is its label.",
                            MetricType::Gauge, {{{{"version", sources_.version}}, 1}}));
  AddSwitchboard(sources_.counts(), families);
  const OpenDescriptors open = CountDescriptors(sources_.public_port, sources_.public_socket);
  families.push_back(Gauge("wormhole_connections", "Connections of clients, on the public port.",
                           static_cast<double>(open.connections)));
  families.push_back(Gauge("wormhole_store_up", "1 while the store works, 0 while it fails.",
                           sources_.store_works() ? 1 : 0));
  families.push_back(Gauge("wormhole_draining", "1 once the relay was told to stop.",
                           sources_.draining() ? 1 : 0));
  AddClock(sources_.clock(), families);
  AddCertificate(sources_.certificate_end, families);
  families.push_back(Counter("wormhole_events_lost_total",
                             "Events that slow watchers were not told.",
                             Total(sources_.events_lost)));
  families.push_back(Counter("wormhole_log_lines_lost_total",
                             "Lines that were not logged because the log was not read in time.",
                             Total(sources_.log_lines_lost)));
  AddProcess(sources_.started_at, open, families);
  return families;
}

}  // namespace wormhole::relay
