// Everything that watches this relay: what the switchboard, the streams and the store tell goes
// from here to the metrics, to those who watch events, and to the log.
#ifndef WORMHOLE_RELAY_MONITOR_MONITOR_H_
#define WORMHOLE_RELAY_MONITOR_MONITOR_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/server_builder.h"
#include "relay/clock/clock.h"
#include "relay/config/config.h"
#include "relay/health/store_health.h"
#include "relay/monitor/event_feed.h"
#include "relay/monitor/log.h"
#include "relay/monitor/metrics.h"
#include "relay/rendezvous/stream_report.h"
#include "relay/switchboard/observer.h"

namespace wormhole::relay {

// Thread-safe. Outlives the store and the server that it is given to.
class Monitor final : public SwitchboardObserver, public StreamObserver {
 public:
  // `log` outlives this; null: none is written.
  explicit Monitor(const RelayConfig& config, Log* log = nullptr);

  absl::Time started_at() const { return started_at_; }
  StoreHealth& store_health() { return store_health_; }
  EventFeed& events() { return events_; }
  // Null when nobody asked for them: then counting costs nothing.
  const Metrics* metrics() const { return metrics_.get(); }

  // Counts the calls of a server that is being built, which this outlives.
  void WatchCalls(grpc::ServerBuilder& builder);

  // SwitchboardObserver, StreamObserver
  void OnEvent(const ChannelEvent& event) override;
  void OnFrame(const std::string& app_id, size_t bytes) override;
  void OnStreamBegan() override;
  void OnRequest() override;
  void OnResponse() override;
  void OnStreamOver(const StreamReport& report) override;

  // What has become of the clock that the relay goes by.
  void OnClock(const ClockChange& change);

  // Of the store: why it fails, OK when it works again.
  void OnTrouble(const absl::Status& status);
  // It is at an older state than before.
  void OnStoreRestored();
  // A batch of so many operations was durable after so long.
  void OnCommit(absl::Duration took, size_t operations);

 private:
  Log* const log_;
  const absl::Time started_at_;
  StoreHealth store_health_;
  EventFeed events_;
  const std::unique_ptr<Metrics> metrics_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_MONITOR_H_
