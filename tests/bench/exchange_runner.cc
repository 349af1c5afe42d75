#include "tests/bench/exchange_runner.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/latch.h"
#include "tests/bench/library_exchange.h"
#include "tests/bench/mailbox_exchange.h"
#include "tests/bench/raw_exchange.h"
#include "tests/bench/usage.h"

namespace wormhole::bench {
namespace {

std::shared_ptr<Client> NewClient() {
  absl::StatusOr<std::shared_ptr<Client>> client = Client::Create();
  if (client.ok()) return *std::move(client);
  std::fprintf(stderr, "bench: %s\n", client.status().ToString().c_str());
  std::exit(EXIT_FAILURE);
}

// An initiator to whom nobody comes, once it is attached.
Initiator Wait(const std::string& target, const std::shared_ptr<Client>& client) {
  Options options;
  options.app_id = kAppId;
  options.rendezvous = target;
  options.client = client;
  options.timeout = absl::Hours(1);
  absl::StatusOr<Initiator> initiator = Initiator::Create(std::move(options), "");
  const absl::Status status = initiator.ok() ? initiator->GetCode().status() : initiator.status();
  if (status.ok()) return *std::move(initiator);
  std::fprintf(stderr, "bench: %s\n", status.ToString().c_str());
  std::exit(EXIT_FAILURE);
}

}  // namespace

// What the exchanges of a run share.
struct ExchangeRunner::Slots {
  Slots(int at_once, double until) : until(until), empty(at_once) {}

  // True: the slot goes on with another exchange.
  bool Note(const ExchangeOutcome& outcome) {
    const std::scoped_lock lock(mutex);
    if (outcome.claim_to_data < 0) {
      ++run.failures;
    } else {
      ++run.exchanges;
      run.claim_to_data.push_back(outcome.claim_to_data);
      run.traffic += outcome.traffic;
    }
    return NowMicros() < until && run.failures < 100;
  }

  const double until;
  Latch empty;
  std::optional<Farewell> farewell{std::in_place};
  std::mutex mutex;
  ExchangeRun run;
};

struct ExchangeRunner::Usage {
  double server_cpu = 0, etcd_cpu = 0, client_cpu = 0;  // microseconds
  std::vector<ContextSwitches> switches;                // of each relay
};

ExchangeRunner::ExchangeRunner(Kind kind, Driver driver, const testing::TempFolder& folder)
    : driver_(driver),
      server_(std::make_unique<Server>(kind, folder)),
      route_{.name = NameOf(kind, driver),
             .initiator = server_->address(),
             .receiver = server_->address(),
             .relays = {server_->pid()}},
      channel_(driver == Driver::kRaw && !IsMailbox(kind) ? Connect(server_->address()) : nullptr),
      client_(driver == Driver::kLibrary ? NewClient() : nullptr) {}

ExchangeRunner::ExchangeRunner(Route route)
    : driver_(Driver::kLibrary), route_(std::move(route)), client_(NewClient()) {
  for (const std::string& target : {route_.initiator, route_.receiver}) {
    waiting_.push_back(Wait(target, client_));
  }
}

std::string ExchangeRunner::NameOf(Kind kind, Driver driver) {
  if (IsMailbox(kind)) return bench::NameOf(kind);  // of which there is no library here
  return std::string(bench::NameOf(kind)) + (driver == Driver::kRaw ? ", raw" : ", library");
}

ExchangeRun ExchangeRunner::Run(int at_once, double seconds) {
  const Usage before = UsageSoFar();
  const double began = NowMicros();
  const auto slots = std::make_shared<Slots>(at_once, began + seconds * 1e6);
  if (server_ != nullptr && IsMailbox(server_->kind())) {
    RunMailboxExchanges(slots, at_once);
  } else {
    for (int i = 0; i < at_once; ++i) StartOne(slots);
    slots->empty.Wait("exchanges");
  }
  slots->farewell.reset();
  ExchangeRun run = std::move(slots->run);
  run.seconds = (NowMicros() - began) / 1e6;
  const Usage after = UsageSoFar();
  run.server_cpu_micros = after.server_cpu - before.server_cpu;
  run.etcd_cpu_micros = after.etcd_cpu - before.etcd_cpu;
  run.client_cpu_micros = after.client_cpu - before.client_cpu;
  for (size_t i = 0; i < route_.relays.size(); ++i) {
    run.switches += SwitchesBetween(before.switches[i], after.switches[i]);
  }
  return run;
}

ExchangeRunner::Usage ExchangeRunner::UsageSoFar() const {
  Usage usage;
  for (const pid_t pid : route_.relays) {
    usage.server_cpu += CpuMicros(pid);
    usage.switches.push_back(ContextSwitchesOf(pid));
  }
  if (route_.etcd != 0) usage.etcd_cpu = CpuMicros(route_.etcd);
  usage.client_cpu = OwnCpuMicros();
  return usage;
}

void ExchangeRunner::RunMailboxExchanges(const std::shared_ptr<Slots>& slots, int at_once) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < at_once; ++i) {
    threads.emplace_back([port = server_->port(), slots] {
      while (slots->Note(RunMailboxExchange(port))) {
      }
    });
  }
}

void ExchangeRunner::StartOne(const std::shared_ptr<Slots>& slots) {
  if (driver_ == Driver::kRaw) {
    RawExchange::Start(channel_, server_->kind(), [this, slots](const ExchangeOutcome& outcome) {
      slots->Note(outcome) ? StartOne(slots) : slots->empty.CountDown();
    });
    return;
  }
  LibraryExchange::Start(client_, {route_.initiator, route_.receiver},
                         [this, slots](std::shared_ptr<LibraryExchange> exchange, double time) {
                           slots->farewell->Take(std::move(exchange));
                           slots->Note({.claim_to_data = time}) ? StartOne(slots)
                                                                : slots->empty.CountDown();
                         });
}

}  // namespace wormhole::bench
