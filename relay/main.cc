// wormhole-relay: flags, wiring, drain. No logic.
#include <sys/resource.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "google/protobuf/stubs/logging.h"
#include "grpc/support/log.h"
#include "proto/net/address.h"
#include "proto/version/version.h"
#include "relay/clock/clock.h"
#include "relay/config/config.h"
#include "relay/config/flag_file.h"
#include "relay/config/flag_help.h"
#include "relay/config/flag_values.h"
#include "relay/config/flags.h"
#include "relay/config/socket_address.h"
#include "relay/monitor/log.h"
#include "relay/monitor/monitor.h"
#include "relay/monitor/relay_gauges.h"
#include "relay/open_store.h"
#include "relay/server/core_dumps.h"
#include "relay/server/descriptor_need.h"
#include "relay/server/listeners.h"
#include "relay/server/metrics_port.h"
#include "relay/server/server.h"
#include "relay/server/service_manager.h"
#include "relay/server/shutdown_signals.h"
#include "relay/store_start.h"
#include "relay/token_command.h"

namespace wormhole::relay {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

int Complain(const absl::Status& status, int exit_status) {
  std::cerr << "wormhole-relay: " << status.message() << std::endl;
  return exit_status;
}

std::optional<std::string> ReadEnvironment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  // Read from a file it often ends with a line end.
  std::string text = value;
  text.erase(text.find_last_not_of("\r\n") + 1);
  return text;
}

// Every stream on its own connection is a descriptor; the soft limit is often 1024.
void RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// gRPC's own log names addresses, says in many lines what we say in one, and waits for who reads
// it: it is for an operator who wants addresses and asks for it in gRPC's own way. protobuf's is
// written by whoever parses what a client has sent.
void QuietLibraries(bool may_log_addresses) {
  google::protobuf::SetLogHandler(nullptr);
  if (may_log_addresses && std::getenv("GRPC_VERBOSITY") != nullptr) return;
  gpr_set_log_function([](gpr_log_func_args*) {});
}

// Debian builds Abseil without NDEBUG, so that by default each lock in gRPC is looked up in a graph
// of all that are held, to find threads that would wait for each other: a third of what a
// connection costs.
void StopSearchForDeadlocks() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

// The others outlive it.
absl::StatusOr<std::unique_ptr<Store>> OpenStoreFor(const RelayConfig& config, RelayClock& clock,
                                                    Monitor& monitor, StoreStart& start) {
  return OpenStore(
      config.store, &clock,
      {.on_started = [&start](const absl::Status& status) { start.Note(status); },
       .on_trouble = [&monitor](const absl::Status& status) { monitor.OnTrouble(status); },
       .on_restored = [&monitor] { monitor.OnStoreRestored(); },
       .on_commit = [&monitor](absl::Duration took,
                               size_t operations) { monitor.OnCommit(took, operations); }});
}

// For people, and for programs that wait for the first line, which clients connect to.
void SayWhereItListens(const RelayServer& server, const MetricsPort* metrics) {
  std::cout << "listening on " << server.address() << "\n";
  if (!server.admin_address().empty()) std::cout << "admin on " << server.admin_address() << "\n";
  if (!server.probe_address().empty()) std::cout << "probes on " << server.probe_address() << "\n";
  if (metrics != nullptr) std::cout << "metrics on " << metrics->address() << "\n";
  std::cout << std::flush;
}

// With a network of everybody anybody says who he is, and no cap on an address holds.
void WarnOfProxies(const RelayConfig& config, Log& log) {
  for (const net::Network& network : config.proxy_from) {
    if (network.bits > 0) continue;
    log.Write(Log::Level::kWarn,
              "--proxy-from believes everybody: give the addresses of your proxies alone",
              {{"network", WriteNetworks({network})}});
  }
}

// A proxy that says for whom it connects is before the relay, and may end TLS.
void WarnOfPlaintext(const RelayConfig& config, Log& log) {
  if (config.tls.enabled() || IsOfThisMachine(config.listen) || !config.proxy_from.empty()) return;
  log.Write(Log::Level::kWarn,
            "clients are served in plaintext beyond this machine: whoever is on the way sees what "
            "the relay sees, and can take over a side; set --tls-cert, unless something before "
            "the relay ends TLS",
            {{"listen", config.listen}});
}

// The port's own encryption counts; a proxy before it may have another.
void WarnOfTokens(const RelayConfig& config, Log& log) {
  if (config.tokens_file.empty() || config.tls.enabled() || IsOfThisMachine(config.listen)) return;
  log.Write(Log::Level::kWarn,
            "bearer tokens come in plaintext, unless something before the relay ends TLS: whoever "
            "reads one on the way can use it; set --tls-cert, or listen on loopback");
}

// Clients are refused then before --max-connections is reached.
void WarnOfDescriptors(const RelayConfig& config, Log& log) {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  const uint64_t needed = DescriptorsNeeded(config);
  if (needed <= limit.rlim_cur) return;
  log.Write(
      Log::Level::kWarn,
      "this process may open fewer files than its ports and its store may come to need: raise "
      "LimitNOFILE= or ulimit -n, or lower --max-connections",
      {{"may_open", uint64_t{limit.rlim_cur}}, {"may_need", needed}});
}

// None when it is off.
absl::StatusOr<Listeners> BindMetricsPort(const RelayConfig& config) {
  if (config.metrics_listen.empty()) return Listeners();
  return MetricsPort::Bind(config.metrics_listen);
}

// Null when it is off. All others outlive it.
absl::StatusOr<std::unique_ptr<MetricsPort>> StartMetricsPort(Listeners listeners,
                                                              RelayClock& clock, Monitor& monitor,
                                                              const Log& log,
                                                              const RelayServer& server) {
  if (monitor.metrics() == nullptr) return nullptr;
  auto gauges = std::make_shared<RelayGauges>(
      GaugeSources{.version = kVersion,
                   .started_at = monitor.started_at(),
                   .public_port = server.port(),
                   .public_socket = server.socket_name(),
                   .counts = [&server] { return server.Count(); },
                   .store_works = [&monitor] { return monitor.store_health().state().status.ok(); },
                   .draining = [&server] { return server.withdrawn(); },
                   .clock = [&clock] { return clock.state(); },
                   .certificate_end = [&server] { return server.certificate_end(); },
                   .events_lost = [&monitor] { return monitor.events().lost(); },
                   .log_lines_lost = [&log] { return log.lines_lost(); }});
  return MetricsPort::Start(std::move(listeners), {monitor.metrics()->registry(), gauges});
}

// The relay has served until now, and does so for as long as balancers need to find that out.
void Withdraw(const RelayConfig& config, ShutdownSignals& signals, RelayServer& server, Log& log) {
  server.Withdraw();
  if (config.drain_delay == absl::ZeroDuration()) return;
  log.Info("not healthy any more, as before otherwise",
           {{"for", WriteDuration(config.drain_delay)}});
  if (signals.AwaitFor(absl::ToChronoNanoseconds(config.drain_delay))) std::_Exit(kFailed);
}

// The exit status.
int Drain(const RelayConfig& config, ShutdownSignals& signals, RelayServer& server, Log& log) {
  signals.ExitAtNext(kFailed);
  log.Info("draining; a second signal stops at once",
           {{"streams", uint64_t{server.stream_count()}},
            {"at_most", WriteDuration(config.drain_timeout)}});
  if (!server.Drain()) {
    log.Write(Log::Level::kWarn, "the drain timeout is over: some streams were cut");
  }
  log.Info("stopped");
  return EXIT_SUCCESS;
}

// Waits for the store, if need be, and then for a signal. The exit status.
int ServeUntilSignal(const RelayConfig& config, ShutdownSignals& signals, const StoreStart& start,
                     RelayServer& server, const MetricsPort* metrics, Log& log) {
  if (!signals.AwaitOr(start.fd())) {
    if (!start.status().ok()) return Complain(start.status(), kFailed);
    server.Serve();
    log.Info("serving", {{"version", kVersion},
                         {"tls", config.tls.enabled()},
                         {"store", WriteStore(config.store)}});
    SayWhereItListens(server, metrics);
    signals.Await();
    Withdraw(config, signals, server, log);
  } else {
    signals.Await();
  }
  return Drain(config, signals, server, log);
}

// Null when there is none, or it cannot be reached: a relay serves without.
std::unique_ptr<ServiceManager> ReachServiceManager(const ServiceRequest& request, Log& log) {
  absl::StatusOr<std::unique_ptr<ServiceManager>> manager = ServiceManager::Reach(request);
  if (manager.ok()) return *std::move(manager);
  log.Write(Log::Level::kWarn, std::string(manager.status().message()));
  return nullptr;
}

int Serve(const RelayConfig& config, const ServiceRequest& service, ShutdownSignals& signals) {
  Log log(config.log);
  WarnOfProxies(config, log);
  WarnOfTokens(config, log);
  WarnOfDescriptors(config, log);
  const std::unique_ptr<ServiceManager> manager = ReachServiceManager(service, log);
  RelayClock clock;
  Monitor monitor(config, &log);
  // It serves last, since its page shows the others. But a relay that cannot have the address
  // should find that out before it lets clients in, each time that somebody starts it again.
  absl::StatusOr<Listeners> metrics_listeners = BindMetricsPort(config);
  if (!metrics_listeners.ok()) return Complain(metrics_listeners.status(), kFailed);
  StoreStart start;
  std::unique_ptr<Store> store;
  const auto open_store = [&]() -> absl::StatusOr<Store*> {
    absl::StatusOr<std::unique_ptr<Store>> opened = OpenStoreFor(config, clock, monitor, start);
    if (!opened.ok()) return opened.status();
    store = *std::move(opened);
    return store.get();
  };
  absl::StatusOr<std::unique_ptr<RelayServer>> server =
      RelayServer::Start(config, open_store, &clock, &monitor, manager.get());
  if (!server.ok()) return Complain(server.status(), kFailed);
  const absl::StatusOr<std::unique_ptr<MetricsPort>> metrics =
      StartMetricsPort(*std::move(metrics_listeners), clock, monitor, log, **server);
  if (!metrics.ok()) return Complain(metrics.status(), kFailed);
  WarnOfPlaintext(config, log);
  return ServeUntilSignal(config, signals, start, **server, metrics->get(), log);
}

int Main(const std::vector<std::string>& args) {
  if (IsTokenCommand(args)) {
    const absl::Status done = RunTokenCommand(args, std::cin, std::cout);
    if (done.ok()) return EXIT_SUCCESS;
    return Complain(done, absl::IsInvalidArgument(done) ? kUsage : kFailed);
  }
  const absl::StatusOr<CommandLine> line = ReadCommandLine(args, ReadEnvironment, LoadFlagFile);
  if (!line.ok()) return Complain(line.status(), kUsage);
  if (line->help) {
    std::cout << HelpText() << std::flush;
    return EXIT_SUCCESS;
  }
  if (line->version) {
    std::cout << "wormhole-relay " << kVersion << std::endl;
    return EXIT_SUCCESS;
  }
  if (line->print_config) {
    std::cout << PrintConfig(*line) << std::flush;
    return EXIT_SUCCESS;
  }
  if (!line->config.core_dumps) {
    const absl::Status forbidden = ForbidCoreDumps();
    if (!forbidden.ok()) return Complain(forbidden, kFailed);
  }
  const ServiceRequest service = ServiceRequest::TakeFromEnvironment();
  ShutdownSignals signals;
  RaiseDescriptorLimit();
  StopSearchForDeadlocks();
  QuietLibraries(line->config.log.addresses);
  return Serve(line->config, service, signals);
}

}  // namespace
}  // namespace wormhole::relay

int main(int argc, char** argv) {
  return wormhole::relay::Main(std::vector<std::string>(argv + 1, argv + argc));
}
