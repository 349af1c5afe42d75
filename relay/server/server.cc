#include "relay/server/server.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <future>
#include <utility>

#include "absl/time/clock.h"
#include "proto/wire/limits.h"
#include "relay/server/credentials.h"
#include "sodium.h"

namespace wormhole::relay {
namespace {

// The relay notices expiry and lost streams within a quarter of a second.
constexpr std::chrono::milliseconds kTick(250);
// For answers that are on their way when a drain is over.
constexpr std::chrono::milliseconds kLastWords(500);

SwitchboardEnvironment RealEnvironment(RelayClock* clock, SwitchboardObserver* observer) {
  return {.wall_now = [clock] { return clock->Now(); },
          .steady_now =
              [] { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); },
          .random_below = [](uint32_t bound) { return randombytes_uniform(bound); },
          .observer = observer};
}

// A well-behaved client has at most a window of frames under way, and some status beside them.
BacklogLimits BacklogOf(const ChannelLimits& limits) {
  return {.bytes = 2 * size_t{limits.window_bytes},
          .responses = std::max<size_t>(256, 2 * size_t{limits.window_frames})};
}

// The public port's health says nothing of the store, so that a load balancer takes nobody away
// when the store is away: an exchange under way needs its relay more than ever then, and clients
// that the relay sends off know better than a balancer where to go.
HealthService::Services PublicServices(const ServingState* serving) {
  const auto serves = [serving] { return serving->serves(); };
  return {{"", serves}, {rendezvous::v1::RendezvousService::service_full_name(), serves}};
}

absl::StatusOr<std::unique_ptr<ProbePort>> OpenProbes(const RelayConfig& config,
                                                      const ServingState* serving,
                                                      RelayClock* clock, Monitor* monitor) {
  if (config.probe_listen.empty()) return nullptr;
  return ProbePort::Open(config.probe_listen, serving, clock, monitor);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RelayServer>> RelayServer::Start(const RelayConfig& config,
                                                                const OpenStore& open_store,
                                                                RelayClock* clock, Monitor* monitor,
                                                                ServiceManager* manager) {
  if (sodium_init() < 0) return absl::UnavailableError("libsodium finds no source of randomness");
  auto serving = std::make_unique<ServingState>();
  absl::StatusOr<std::unique_ptr<ProbePort>> probe =
      OpenProbes(config, serving.get(), clock, monitor);
  if (!probe.ok()) return probe.status();
  if (manager != nullptr) manager->Tell({.stage = ServiceState::Stage::kStarting});
  const absl::StatusOr<Store*> store = open_store();
  if (!store.ok()) return store.status();
  absl::StatusOr<std::unique_ptr<Switchboard>> switchboard =
      Switchboard::Create({.limits = config.limits,
                           .heartbeat = config.heartbeat,
                           .motd = config.motd,
                           .max_stream_age = config.max_stream_age},
                          RealEnvironment(clock, monitor), *store);
  if (!switchboard.ok()) return switchboard.status();
  std::unique_ptr<RelayServer> server(new RelayServer(config, std::move(serving), *std::move(probe),
                                                      *std::move(switchboard), monitor, manager));
  const absl::Status listening = server->Listen(config, clock);
  if (!listening.ok()) return listening;
  return server;
}

RelayServer::RelayServer(const RelayConfig& config, std::unique_ptr<ServingState> serving,
                         std::unique_ptr<ProbePort> probe, std::unique_ptr<Switchboard> switchboard,
                         Monitor* monitor, ServiceManager* manager)
    : drain_timeout_(config.drain_timeout),
      monitor_(monitor),
      manager_(manager),
      serving_(std::move(serving)),
      probe_(std::move(probe)),
      switchboard_(std::move(switchboard)),
      health_(PublicServices(serving_.get())),
      rendezvous_(switchboard_.get(), BacklogOf(config.limits), monitor) {}

RelayServer::~RelayServer() {
  WithdrawFor(absl::ZeroDuration());
  Stop(std::chrono::steady_clock::now());
}

absl::Status RelayServer::Listen(const RelayConfig& config, RelayClock* clock) {
  absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> credentials =
      MakeCredentials(config.tls);
  if (!credentials.ok()) return credentials.status();
  if (!config.admin_listen.empty()) {
    absl::StatusOr<std::unique_ptr<AdminPort>> admin =
        AdminPort::Open(config, switchboard_.get(), monitor_, serving_.get());
    if (!admin.ok()) return admin.status();
    admin_ = *std::move(admin);
  }
  absl::StatusOr<std::unique_ptr<GrpcPort>> port = GrpcPort::Open(
      {.flag = "--listen",
       .listen = config.listen,
       .credentials = *std::move(credentials),
       .services = {&rendezvous_, &health_},
       .reflection = config.reflection,
       .max_request_bytes = static_cast<int>(config.limits.max_frame_bytes) + wire::kRequestSlack,
       .max_stream_age = config.max_stream_age,
       .monitor = monitor_});
  if (!port.ok()) return port.status();
  public_ = *std::move(port);
  ticker_.emplace(kTick, [this, clock] { Tick(clock); });
  return absl::OkStatus();
}

void RelayServer::Serve() {
  serving_->Serve();
  ShowState();
}

void RelayServer::Tick(RelayClock* clock) {
  for (const ClockChange& change : clock->TakeChanges()) monitor_->OnClock(change);
  switchboard_->Tick();
  ShowState();  // the store's, or the clock's, may have changed
  // Here and nowhere else: a relay whose switchboard hangs stays hungry.
  if (manager_ != nullptr) manager_->Feed(std::chrono::steady_clock::now());
}

void RelayServer::ShowState() {
  health_.Refresh();
  if (admin_) admin_->Refresh();
  if (probe_) probe_->Refresh();
  if (manager_ != nullptr) manager_->Tell(DescribeState());
}

ServiceState RelayServer::DescribeState() const {
  const StoreHealth::State store = monitor_->store_health().state();
  ServiceState state = {.address = public_ ? public_->address() : "",
                        .store = store.status,
                        .store_since = store.since,
                        .streams = stream_count()};
  // Until the store has started or is known to be away, it may still refuse this relay for good.
  const bool waits = public_ != nullptr && !store.status.ok();
  if (serving_->serves() || waits) state.stage = ServiceState::Stage::kServing;
  if (serving_->stops()) {
    state.stage = ServiceState::Stage::kStopping;
    state.stops_by = stops_by_;  // written before the stage, and not after it
  }
  return state;
}

void RelayServer::Withdraw() { WithdrawFor(drain_timeout_); }

void RelayServer::WithdrawFor(absl::Duration time) {
  if (drain_deadline_) return;
  drain_deadline_ = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(time);
  stops_by_ = absl::Now() + time;
  serving_->Stop();
  ShowState();
}

bool RelayServer::Drain() {
  Withdraw();
  switchboard_->Drain();
  const bool none = stream_count() == 0;
  return Stop(*drain_deadline_) || none;
}

bool RelayServer::Stop(std::chrono::steady_clock::time_point deadline) {
  const bool in_time = StopPublic(deadline);
  const auto last_words = std::chrono::steady_clock::now() + kLastWords;
  if (admin_) admin_->Close(last_words);
  if (probe_) probe_->Close(last_words);
  return in_time;
}

bool RelayServer::StopPublic(std::chrono::steady_clock::time_point deadline) {
  health_.EndWatches();
  if (public_ == nullptr) return true;
  // Close waits for connections to close. A client without a stream here may leave its connection
  // open for long, so this thread cuts the wait short when all streams are over.
  const auto closed =
      std::async(std::launch::async, [this, deadline] { public_->Close(deadline); });
  rendezvous_.AwaitNoStreams(deadline);
  const auto ended_at = std::chrono::steady_clock::now();
  if (closed.wait_for(kLastWords) != std::future_status::ready) public_->CutCalls();
  closed.wait();
  // gRPC may still be returning from the last reaction.
  rendezvous_.AwaitNoStreams(std::chrono::steady_clock::time_point::max());
  return ended_at < deadline;
}

}  // namespace wormhole::relay
