// Everything that watches this relay. The switchboard, the streams and the store report here; the
// monitor passes it on to the metrics, to those who watch events, and to the log.
#ifndef WORMHOLE_RELAY_MONITOR_MONITOR_H_
#define WORMHOLE_RELAY_MONITOR_MONITOR_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/server_builder.h"
#include "proto/sync/mutex.h"
#include "relay/accept/arrival.h"
#include "relay/admission/refusal.h"
#include "relay/clock/clock.h"
#include "relay/config/config.h"
#include "relay/health/store_health.h"
#include "relay/monitor/event_feed.h"
#include "relay/monitor/log.h"
#include "relay/monitor/loudest_networks.h"
#include "relay/monitor/metrics.h"
#include "relay/monitor/refusal_notices.h"
#include "relay/rendezvous/stream_report.h"
#include "relay/switchboard/observer.h"

namespace wormhole::relay {

// Thread-safe. It outlives the store and the server, which hold pointers to it.
class Monitor final : public SwitchboardObserver,
                      public StreamObserver,
                      public AcceptObserver,
                      public AdmissionObserver {
 public:
  // `log` outlives this. Null: the monitor writes no log.
  explicit Monitor(const RelayConfig& config, Log* log = nullptr);

  absl::Time started_at() const { return started_at_; }
  StoreHealth& store_health() { return store_health_; }
  EventFeed& events() { return events_; }
  // Null with --metrics-listen=off: then counting costs nothing.
  const Metrics* metrics() const { return metrics_.get(); }

  // Counts the calls of the server that it is given to, which this outlives. Null: nobody counts.
  std::unique_ptr<CallMetrics::InterceptorFactory> CallCounter();

  // See LoudestNetworks::List.
  std::vector<NetworkView> Loudest(size_t most) const WORMHOLE_EXCLUDES(networks_mutex_);

  // SwitchboardObserver, StreamObserver, AcceptObserver, AdmissionObserver
  void OnEvent(const ChannelEvent& event) override;
  void OnFrame(const std::string& app_id, size_t bytes) override;
  void OnStreamBegan(const std::string& peer) override WORMHOLE_EXCLUDES(networks_mutex_);
  void OnRequest() override;
  void OnResponse() override;
  void OnStreamOver(const StreamReport& report) override WORMHOLE_EXCLUDES(networks_mutex_);
  void OnArrival(Arrival arrival) override WORMHOLE_EXCLUDES(networks_mutex_);
  void OnClient(Arrival arrival, const net::Address& client) override
      WORMHOLE_EXCLUDES(networks_mutex_);
  void OnGaveWay() override;
  void OnFlooding() override;
  void OnRefused(Refusal refusal, const net::Address& client, const std::string& app_id) override
      WORMHOLE_EXCLUDES(networks_mutex_);
  void OnChannelBegan(const net::Address& client) override WORMHOLE_EXCLUDES(networks_mutex_);
  void OnChannelEnded(const net::Address& client) override WORMHOLE_EXCLUDES(networks_mutex_);

  // The clock that the relay's rules use has changed.
  void OnClock(const ClockChange& change);

  // The process has become short of memory, and lets in nobody new; or is so no more.
  void OnMemory(bool is_short);

  // The certificate of clients' port ends in so long; negative: it has ended.
  void OnCertificateEnds(absl::Duration left);

  // --tokens-file was read: how many tokens it has, or why what it had before stays in force.
  void OnTokens(const absl::StatusOr<size_t>& tokens);

  // The store fails, for this reason; or, with OK, works again.
  void OnTrouble(const absl::Status& status);
  // The store has gone back to an older state.
  void OnStoreRestored();
  // The store has made a batch of so many operations durable, in so long.
  void OnCommit(absl::Duration took, size_t operations);

 private:
  // Never goes back.
  absl::Time Now() const;
  // That clients are refused, in the log, now and then.
  struct Notice {
    uint64_t times;
    std::string loudest;  // the network
  };
  // Somebody is refused. None: there is nothing to say now.
  std::optional<Notice> NoticeOf(std::string_view reason) WORMHOLE_REQUIRES(networks_mutex_);
  // Without the mutex, since the log may wait. `remedy`: the flag, or what else can be done.
  void Say(std::string_view reason, std::string_view remedy, const Notice& notice);

  Log* const log_;
  const absl::Time started_at_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  StoreHealth store_health_;
  EventFeed events_;
  const std::unique_ptr<Metrics> metrics_;
  mutable sync::Mutex networks_mutex_;
  LoudestNetworks networks_ WORMHOLE_GUARDED_BY(networks_mutex_);
  RefusalNotices notices_ WORMHOLE_GUARDED_BY(networks_mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_MONITOR_H_
