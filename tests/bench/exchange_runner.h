// Runs whole exchanges against one server, many at once or one after the other.
#ifndef WORMHOLE_TESTS_BENCH_EXCHANGE_RUNNER_H_
#define WORMHOLE_TESTS_BENCH_EXCHANGE_RUNNER_H_

#include <memory>
#include <string>
#include <vector>

#include "client/wormhole.h"
#include "tests/bench/raw_side.h"
#include "tests/bench/servers.h"

namespace wormhole::bench {

enum class Driver { kRaw, kLibrary };

// What one run has shown.
struct ExchangeRun {
  int exchanges = 0;
  int failures = 0;
  double seconds = 0;            // until the relay was told the last goodbye
  double server_cpu_micros = 0;  // of all exchanges
  double client_cpu_micros = 0;
  std::vector<double> claim_to_data;  // microseconds, one for each exchange
};

class ExchangeRunner {
 public:
  // Ends the process when there is no client to be had.
  ExchangeRunner(Kind kind, Driver driver, const Folder& folder);

  // Keeps `at_once` exchanges going for so long, and ends those that have begun.
  ExchangeRun Run(int at_once, double seconds);

  Kind kind() const { return server_.kind(); }
  Driver driver() const { return driver_; }
  std::string name() const { return NameOf(kind(), driver()); }
  // "relay, SQLite, library"
  static std::string NameOf(Kind kind, Driver driver);

 private:
  struct Slots;
  void StartOne(const std::shared_ptr<Slots>& slots);

  const Driver driver_;
  const Server server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::shared_ptr<Client> client_;
};

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_EXCHANGE_RUNNER_H_
