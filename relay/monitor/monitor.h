// Everything that watches this relay. The switchboard, the streams and the store report here; the
// monitor passes it on to the metrics, to those who watch events, and to the log.
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

// Thread-safe. It outlives the store and the server, which hold pointers to it.
class Monitor final : public SwitchboardObserver, public StreamObserver {
 public:
  // `log` outlives this. Null: the monitor writes no log.
  explicit Monitor(const RelayConfig& config, Log* log = nullptr);

  absl::Time started_at() const { return started_at_; }
  StoreHealth& store_health() { return store_health_; }
  EventFeed& events() { return events_; }
  // Null with --metrics-listen=off: then counting costs nothing.
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

  // The clock that the relay's rules use has changed.
  void OnClock(const ClockChange& change);

  // The store fails, for this reason; or, with OK, works again.
  void OnTrouble(const absl::Status& status);
  // The store has gone back to an older state.
  void OnStoreRestored();
  // The store has made a batch of so many operations durable, in so long.
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
