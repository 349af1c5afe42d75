#include "relay/server/server.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "proto/wire/limits.h"
#include "relay/server/credentials.h"
#include "sodium.h"

namespace wormhole::relay {
namespace {

// The relay notices expiry and lost streams within a quarter of a second.
constexpr std::chrono::milliseconds kTick(250);
// How long answers that are on their way when a drain is over may take.
constexpr std::chrono::milliseconds kLastAnswersTime(500);
// Streams that a program may begin at once when it comes back. One that has more may be cut off the
// first time, since it looks as if it sent them without end.
constexpr size_t kBurst = 1000;
// The relay refuses a token two of these after its withdrawal.
constexpr std::chrono::milliseconds kTokensPollInterval(1000);
constexpr std::chrono::milliseconds kCertificatePollInterval(10'000);

absl::Duration SteadyNow() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// What a sanitizer keeps beside each allocation is resident too, several times what the relay
// takes.
uint64_t MemoryLimitOf(const RelayConfig& config) {
#ifdef __SANITIZE_ADDRESS__
  static_cast<void>(config);
  return 0;
#else
  return config.max_memory;
#endif
}

AdmissionRules AdmissionRulesOf(const RelayConfig& config) {
  AdmissionRules rules = {.streams_per_address = config.max_streams_per_address,
                          .streams = config.max_streams,
                          .channels_per_address = config.max_channels_per_address};
  rules.acts[Act::kConnect] = config.max_connections_per_minute;
  rules.acts[Act::kOpenStream] = config.max_stream_opens_per_minute;
  rules.acts[Act::kAllocate] = config.max_allocations_per_minute;
  rules.acts[Act::kClaim] = config.max_claims_per_minute;
  rules.acts[Act::kFailClaim] = config.max_failed_claims_per_minute;
  return rules;
}

SwitchboardEnvironment RealEnvironment(RelayClock* clock, Admission* admission,
                                       const TokenJudge* tokens, SwitchboardObserver* observer) {
  return {.wall_now = [clock] { return clock->Now(); },
          .steady_now = SteadyNow,
          .random_below = [](uint32_t bound) { return randombytes_uniform(bound); },
          .admission = admission,
          .tokens = tokens,
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

// As what a connection is refused.
std::optional<Arrival> RefusalOf(const std::optional<Refused>& refused) {
  if (!refused) return std::nullopt;
  return refused->why == Refusal::kMemory ? Arrival::kShortOfMemory : Arrival::kTooOften;
}

absl::StatusOr<std::unique_ptr<TokensFile>> OpenTokens(const RelayConfig& config,
                                                       Monitor* monitor) {
  if (config.tokens_file.empty()) return nullptr;
  const auto tell = [monitor](const absl::StatusOr<size_t>& tokens) { monitor->OnTokens(tokens); };
  return TokensFile::Open(config.tokens_file, tell);
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
  absl::StatusOr<std::unique_ptr<TokensFile>> tokens = OpenTokens(config, monitor);
  if (!tokens.ok()) return tokens.status();
  auto admission = std::make_unique<Admission>(AdmissionRulesOf(config), monitor);
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
                           .channel_caps = config.channel_caps,
                           .max_stored_bytes = config.max_stored_bytes,
                           .max_posted_bytes_per_second = config.max_posted_bytes_per_second,
                           .min_digits = config.min_digits,
                           .max_stream_age = config.max_stream_age,
                           .open_timeout = config.open_timeout,
                           .write_timeout = config.write_timeout},
                          RealEnvironment(clock, admission.get(), tokens->get(), monitor), *store);
  if (!switchboard.ok()) return switchboard.status();
  std::unique_ptr<RelayServer> server(
      new RelayServer(config, std::move(admission), *std::move(tokens), std::move(serving),
                      *std::move(probe), *std::move(switchboard), monitor, manager));
  const absl::Status listening = server->Listen(config, clock);
  if (!listening.ok()) return listening;
  return server;
}

RelayServer::RelayServer(const RelayConfig& config, std::unique_ptr<Admission> admission,
                         std::unique_ptr<TokensFile> tokens, std::unique_ptr<ServingState> serving,
                         std::unique_ptr<ProbePort> probe, std::unique_ptr<Switchboard> switchboard,
                         Monitor* monitor, ServiceManager* manager)
    : drain_timeout_(config.drain_timeout),
      monitor_(monitor),
      manager_(manager),
      admission_(std::move(admission)),
      tokens_(std::move(tokens)),
      serving_(std::move(serving)),
      probe_(std::move(probe)),
      switchboard_(std::move(switchboard)),
      gate_(admission_.get(), &client_names_, SteadyNow),
      health_(PublicServices(serving_.get()), &gate_, nullptr, config.open_timeout),
      reflection_({rendezvous::v1::RendezvousService::service_full_name(),
                   grpc::health::v1::Health::service_full_name()},
                  &gate_),
      rendezvous_(switchboard_.get(), BacklogOf(config.limits), monitor, &client_names_),
      memory_(MemoryLimitOf(config),
              [this](bool is_short) {
                admission_->SetShortOfMemory(is_short);
                monitor_->OnMemory(is_short);
              }),
      certificate_(config.tls.cert,
                   [this](absl::Duration left) { monitor_->OnCertificateEnds(left); }) {}

RelayServer::~RelayServer() {
  WithdrawFor(absl::ZeroDuration());
  Stop(std::chrono::steady_clock::now());
  admission_->SetCutter(nullptr);  // it uses the port
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
  std::vector<grpc::Service*> services = {&rendezvous_, &health_};
  if (config.reflection) {
    for (grpc::Service* const version : reflection_.services()) services.push_back(version);
  }
  absl::StatusOr<std::unique_ptr<GrpcPort>> port = GrpcPort::Open(
      {.flag = "--listen",
       .listen = config.listen,
       .credentials = *std::move(credentials),
       .services = std::move(services),
       .in_channelz = config.admin_channelz,
       .max_request_bytes = static_cast<int>(config.limits.max_frame_bytes) + wire::kRequestSlack,
       .max_header_bytes = static_cast<int>(config.max_header_bytes),
       .max_stream_age = config.max_stream_age,
       .handshake_timeout = config.handshake_timeout,
       .idle_timeout = config.idle_timeout,
       .max_streams_per_connection = static_cast<int>(config.max_streams_per_connection),
       .monitor = monitor_,
       .calls_in_hand = [this] { return admission_->call_count(); },
       .burst = kBurst,
       .gate = &gate_,
       .accept = AcceptRules{
           .caps = {.in_all = config.max_connections,
                    .per_address = config.max_connections_per_address},
           .refuse =
               [this](const Admission::Client& client) {
                 return RefusalOf(admission_->Connect(client, SteadyNow()));
               },
           .in_use = [this](const std::string& peer) { return rendezvous_.HasStream(peer); },
           .in_use_after = config.handshake_timeout,
           .proxies = config.proxy_from,
           .header_patience = config.handshake_timeout},
       .arrivals = monitor_,
       .names = &client_names_});
  if (!port.ok()) return port.status();
  public_ = *std::move(port);
  admission_->SetCutter([this](const net::Address& client) { public_->CutConnectionsOf(client); });
  ticker_.emplace(kTick, [this, clock] { Tick(clock); });
  certificate_.Poll(absl::Now());
  if (config.tls.enabled()) {
    certificate_ticker_.emplace(kCertificatePollInterval,
                                [this] { certificate_.Poll(absl::Now()); });
  }
  if (tokens_ != nullptr) tokens_ticker_.emplace(kTokensPollInterval, [this] { tokens_->Poll(); });
  return absl::OkStatus();
}

void RelayServer::Serve() {
  serving_->Serve();
  ShowState();
}

void RelayServer::Tick(RelayClock* clock) {
  for (const ClockChange& change : clock->TakeChanges()) monitor_->OnClock(change);
  switchboard_->Tick();
  memory_.Poll();
  if (admission_->short_of_memory()) CutOperators();
  // He may not do it again at once, or he would do nothing else.
  if (const auto client = public_->CutWhoHoldsUp()) admission_->Banish(*client, SteadyNow());
  if (admin_) admin_->CutWhoHoldsUp();
  if (probe_) probe_->CutWhoHoldsUp();
  reflection_.CutLate();
  ShowState();  // the store's, or the clock's, may have changed
  if (admin_) admin_->CutLate();
  // Here and nowhere else: a relay whose switchboard hangs stays hungry.
  if (manager_ != nullptr) manager_->Feed(std::chrono::steady_clock::now());
}

void RelayServer::CutOperators() {
  const absl::Duration now = SteadyNow();
  if (now - operators_cut_at_ < kOperatorCutPause) return;
  operators_cut_at_ = now;
  if (admin_) admin_->CutConnections();
  if (probe_) probe_->CutConnections();
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
  const auto last_answers = std::chrono::steady_clock::now() + kLastAnswersTime;
  if (admin_) admin_->Close(last_answers);
  if (probe_) probe_->Close(last_answers);
  return in_time;
}

bool RelayServer::StopPublic(std::chrono::steady_clock::time_point deadline) {
  health_.EndWatches();
  reflection_.End();
  if (public_ == nullptr) return true;
  // Close waits for connections to close. A client without a stream here may leave its connection
  // open for long, so this thread cuts the wait short when all streams are over.
  const auto closed =
      std::async(std::launch::async, [this, deadline] { public_->Close(deadline); });
  rendezvous_.AwaitNoStreams(deadline);
  const auto ended_at = std::chrono::steady_clock::now();
  if (closed.wait_for(kLastAnswersTime) != std::future_status::ready) public_->CutCalls();
  closed.wait();
  // gRPC may still be returning from the last reaction.
  rendezvous_.AwaitNoStreams(std::chrono::steady_clock::time_point::max());
  return ended_at < deadline;
}

}  // namespace wormhole::relay
