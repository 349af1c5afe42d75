// What a relay counts from its start on, for Prometheus. README.md says what each metric means.
//
// The flags and the API alone decide which series there are, so that no client can add one: an
// app-id is a label only when the operator has listed it, and all others share one.
#ifndef WORMHOLE_RELAY_MONITOR_METRICS_H_
#define WORMHOLE_RELAY_MONITOR_METRICS_H_

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "grpcpp/server_builder.h"
#include "prometheus/counter.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "relay/accept/arrival.h"
#include "relay/admission/refusal.h"
#include "relay/monitor/call_metrics.h"
#include "relay/rendezvous/stream_report.h"
#include "relay/switchboard/observer.h"

namespace wormhole::relay {

// Thread-safe, and without a lock of its own. All series but those of codes exist from the start,
// so that a rate sees the first count.
class Metrics {
 public:
  // `apps` are the app-ids that get series of their own.
  explicit Metrics(const std::vector<std::string>& apps);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // As SwitchboardObserver and StreamObserver tell it.
  void OnEvent(const ChannelEvent& event);
  void OnFrame(const std::string& app_id, size_t bytes);
  void OnStreamBegan() { calls_.attach().Started(); }
  void OnRequest() { calls_.attach().Received(); }
  void OnResponse() { calls_.attach().Sent(); }
  void OnStreamOver(const StreamReport& report);

  // As AcceptObserver tells it.
  void OnArrival(Arrival arrival);
  void OnGaveWay() { gave_way_.Increment(); }
  void OnFlooding() { flooding_.Increment(); }

  // As AdmissionObserver tells it.
  void OnRefused(Refusal refusal);

  // As SqliteOptions::on_commit tells it.
  void OnCommit(absl::Duration took, size_t operations);

  // See CallMetrics::Counter.
  std::unique_ptr<CallMetrics::InterceptorFactory> CallCounter() { return calls_.Counter(); }

  const std::shared_ptr<prometheus::Registry>& registry() const { return registry_; }

 private:
  // By the number of the enum's value; null: no value, or none that is counted.
  using ByMood = std::array<prometheus::Counter*, rendezvous::v1::Mood_ARRAYSIZE>;
  using ByReason = std::array<prometheus::Counter*, rendezvous::v1::ErrorDetail::Reason_ARRAYSIZE>;

  using ByRefusal = absl::flat_hash_map<Refusal, prometheus::Counter*>;
  using ByArrival = absl::flat_hash_map<Arrival, prometheus::Counter*>;

  struct AppMetrics {
    prometheus::Counter* allocations;
    prometheus::Counter* claims;
    prometheus::Counter* pairings;
    prometheus::Counter* crowded;
    prometheus::Counter* expired;
    prometheus::Counter* frames;
    prometheus::Counter* frame_bytes;
    ByMood closed;
    ByReason failed_claims;
  };
  struct AppFamilies;

  static AppMetrics MakeApp(const AppFamilies& families, const std::string& app);
  static ByReason MakeReasons(prometheus::Family<prometheus::Counter>& family,
                              const prometheus::Labels& others = {});
  static ByArrival MakeArrivals(prometheus::Registry& registry);
  static ByRefusal MakeRefusals(prometheus::Registry& registry);
  const AppMetrics& Of(const std::string& app_id) const;

  const std::shared_ptr<prometheus::Registry> registry_;
  CallMetrics calls_;
  AppMetrics others_;  // of apps that are not listed
  absl::flat_hash_map<std::string, AppMetrics>
      apps_;  // of those that are; filled by the constructor
  const ByReason refused_;
  const ByArrival arrivals_;
  prometheus::Counter& gave_way_;
  prometheus::Counter& flooding_;
  const ByRefusal refusals_;
  prometheus::Histogram& commit_seconds_;
  prometheus::Histogram& batch_operations_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_METRICS_H_
