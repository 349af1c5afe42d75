// A relay that serves: the wiring of switchboard, services and ports.
#ifndef WORMHOLE_RELAY_SERVER_SERVER_H_
#define WORMHOLE_RELAY_SERVER_SERVER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/rpc/awake_threads.h"
#include "relay/accept/client_names.h"
#include "relay/admission/admission.h"
#include "relay/clock/clock.h"
#include "relay/config/config.h"
#include "relay/grpc/call_gate.h"
#include "relay/health/health_service.h"
#include "relay/health/serving_state.h"
#include "relay/monitor/monitor.h"
#include "relay/reflection/reflection_service.h"
#include "relay/rendezvous/rendezvous_service.h"
#include "relay/server/admin_port.h"
#include "relay/server/certificate_watch.h"
#include "relay/server/grpc_port.h"
#include "relay/server/memory_watch.h"
#include "relay/server/probe_port.h"
#include "relay/server/service_manager.h"
#include "relay/server/ticker.h"
#include "relay/server/tokens_file.h"
#include "relay/store/store.h"
#include "relay/switchboard/switchboard.h"

namespace wormhole::relay {

class RelayServer {
 public:
  // Opens the store. Start calls it once, and is the first to use the store.
  using OpenStore = std::function<absl::StatusOr<Store*>()>;

  // All ports answer from the moment that this returns, and the probe port before. Who comes is let
  // in: a store that has not started refuses what they want. `config` is valid; the store, `clock`
  // and `monitor` outlive the server. UNAVAILABLE, with one line for people, when an address cannot
  // be listened on; the store's error when it cannot be opened or read.
  // `manager`, if there is one, outlives the server too and is told how it is.
  static absl::StatusOr<std::unique_ptr<RelayServer>> Start(const RelayConfig& config,
                                                            const OpenStore& open_store,
                                                            RelayClock* clock, Monitor* monitor,
                                                            ServiceManager* manager = nullptr);

  // Cuts the streams that are left.
  ~RelayServer();

  RelayServer(const RelayServer&) = delete;
  RelayServer& operator=(const RelayServer&) = delete;

  // The store has started: health says SERVING from now on.
  void Serve();

  // ADDRESS:PORT with the port that the kernel bound, or unix:PATH. Empty for a port that is off.
  const std::string& address() const { return public_->address(); }
  std::string admin_address() const { return admin_ ? admin_->address() : ""; }
  std::string probe_address() const { return probe_ ? probe_->address() : ""; }

  // The port of address(); 0 for a path.
  uint16_t port() const { return public_->port(); }
  // See GrpcPort::socket_name.
  std::string socket_name() const { return public_->socket_name(); }

  // When the certificate of clients' port ends; nothing without TLS. Any thread.
  std::optional<absl::Time> certificate_end() const { return certificate_.end(); }

  size_t stream_count() const { return rendezvous_.stream_count(); }

  // Any thread. See Switchboard::Count, and whether Withdraw was called.
  SwitchboardCounts Count() const { return switchboard_->Count(); }
  bool withdrawn() const { return serving_->stops(); }

  // Health says NOT_SERVING from now on, and everything else goes on: a load balancer that checks
  // in time sends no more clients. The time of config.drain_timeout begins.
  void Withdraw();

  // Withdraws first, if the caller has not. Tells attached streams to come back later, and ends
  // them. Accepts no new stream: the relay stops listening and tells its connections so (GOAWAY);
  // clients that know other addresses then turn to those. Blocks until the last stream has ended or
  // the time is over; then ends the other ports, which until then show the drain. True if all
  // streams ended by themselves.
  bool Drain();

 private:
  RelayServer(const RelayConfig& config, std::unique_ptr<Admission> admission,
              std::unique_ptr<TokensFile> tokens, std::unique_ptr<ServingState> serving,
              std::unique_ptr<ProbePort> probe, std::unique_ptr<Switchboard> switchboard,
              Monitor* monitor, ServiceManager* manager);
  absl::Status Listen(const RelayConfig& config, RelayClock* clock);
  void Tick(RelayClock* clock);
  // While memory is short.
  void CutOperators();
  // Tells those who watch that something about it may have changed.
  void ShowState();
  ServiceState DescribeState() const;
  // With the time that is left to it from now.
  void WithdrawFor(absl::Duration time);
  // Whether the streams ended before the deadline.
  bool Stop(std::chrono::steady_clock::time_point deadline);
  bool StopPublic(std::chrono::steady_clock::time_point deadline);

  const absl::Duration drain_timeout_;
  Monitor* const monitor_;
  ServiceManager* const manager_;  // null: there is none
  std::optional<std::chrono::steady_clock::time_point> drain_deadline_;
  absl::Time stops_by_ = absl::InfiniteFuture();  // that deadline, for people
  // Each uses those above it, so that this is also the order of construction.
  const std::unique_ptr<Admission> admission_;
  const std::unique_ptr<TokensFile> tokens_;  // null: nobody needs a token
  const std::unique_ptr<ServingState> serving_;
  const std::unique_ptr<ProbePort> probe_;  // null: there is none
  const std::unique_ptr<Switchboard> switchboard_;
  const rpc::AwakeThreads
      awake_threads_;  // without it, the first message after an idle second is 50 ms late
  ClientNames client_names_;
  CallGate gate_;
  HealthService health_;
  ReflectionService reflection_;
  RendezvousService rendezvous_;
  std::unique_ptr<AdminPort> admin_;  // null: there is none
  std::unique_ptr<GrpcPort> public_;
  MemoryWatch memory_;                                           // of the thread that ticks
  absl::Duration operators_cut_at_ = -absl::InfiniteDuration();  // too
  std::optional<Ticker> ticker_;                                 // since it listens
  CertificateWatch certificate_;
  // They have threads of their own, since they wait for a disk.
  std::optional<Ticker> tokens_ticker_;
  std::optional<Ticker> certificate_ticker_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_SERVER_H_
