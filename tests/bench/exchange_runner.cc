#include "tests/bench/exchange_runner.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <utility>

#include "tests/bench/latch.h"
#include "tests/bench/library_exchange.h"
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

}  // namespace

// What the exchanges of a run share.
struct ExchangeRunner::Slots {
  Slots(int at_once, double until) : until(until), empty(at_once) {}

  // True: the slot goes on with another exchange.
  bool Note(double claim_to_data) {
    const std::scoped_lock lock(mutex);
    if (claim_to_data < 0) {
      ++run.failures;
    } else {
      ++run.exchanges;
      run.claim_to_data.push_back(claim_to_data);
    }
    return NowMicros() < until && run.failures < 100;
  }

  const double until;
  Latch empty;
  std::optional<Farewell> farewell{std::in_place};
  std::mutex mutex;
  ExchangeRun run;
};

ExchangeRunner::ExchangeRunner(Kind kind, Driver driver, const Folder& folder)
    : driver_(driver),
      server_(kind, folder),
      channel_(driver == Driver::kRaw ? Connect(server_.address()) : nullptr),
      client_(driver == Driver::kLibrary ? NewClient() : nullptr) {}

std::string ExchangeRunner::NameOf(Kind kind, Driver driver) {
  return std::string(bench::NameOf(kind)) + (driver == Driver::kRaw ? ", raw" : ", library");
}

ExchangeRun ExchangeRunner::Run(int at_once, double seconds) {
  const double began = NowMicros();
  const double server_cpu = CpuMicros(server_.pid());
  const double client_cpu = OwnCpuMicros();
  const auto slots = std::make_shared<Slots>(at_once, began + seconds * 1e6);
  for (int i = 0; i < at_once; ++i) StartOne(slots);
  slots->empty.Wait("exchanges");
  slots->farewell.reset();
  ExchangeRun run = std::move(slots->run);
  run.seconds = (NowMicros() - began) / 1e6;
  run.server_cpu_micros = CpuMicros(server_.pid()) - server_cpu;
  run.client_cpu_micros = OwnCpuMicros() - client_cpu;
  return run;
}

void ExchangeRunner::StartOne(const std::shared_ptr<Slots>& slots) {
  if (driver_ == Driver::kRaw) {
    RawExchange::Start(channel_, kind(), [this, slots](double claim_to_data) {
      slots->Note(claim_to_data) ? StartOne(slots) : slots->empty.CountDown();
    });
    return;
  }
  LibraryExchange::Start(client_, server_.address(),
                         [this, slots](std::shared_ptr<LibraryExchange> exchange, double time) {
                           slots->farewell->Take(std::move(exchange));
                           slots->Note(time) ? StartOne(slots) : slots->empty.CountDown();
                         });
}

}  // namespace wormhole::bench
