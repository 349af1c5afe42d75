// Runs whole exchanges against one server, many at once or one after the other.
#ifndef WORMHOLE_TESTS_BENCH_EXCHANGE_RUNNER_H_
#define WORMHOLE_TESTS_BENCH_EXCHANGE_RUNNER_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/bench/exchange_outcome.h"
#include "tests/bench/raw_side.h"
#include "tests/bench/servers.h"
#include "wormhole/wormhole.h"

namespace wormhole::bench {

// kRaw computes nothing: RawExchange, or RunMailboxExchange.
enum class Driver { kRaw, kLibrary };

// What one run has shown.
struct ExchangeRun {
  int exchanges = 0;
  int failures = 0;
  double seconds = 0;            // until the relay was told the last goodbye
  double server_cpu_micros = 0;  // of all exchanges; all relays'
  double etcd_cpu_micros = 0;
  double client_cpu_micros = 0;
  double switches = 0;                // all relays'
  Traffic traffic;                    // of a raw client
  std::vector<double> claim_to_data;  // microseconds, one for each exchange
};

// The way of exchanges: a gRPC target for each side, and whose CPU time they take.
struct Route {
  std::string name;
  std::string initiator;
  std::string receiver;
  std::vector<pid_t> relays;
  pid_t etcd = 0;  // 0: there is none
};

class ExchangeRunner {
 public:
  // Ends the process when there is no client to be had.
  ExchangeRunner(Kind kind, Driver driver, const testing::TempFolder& folder);
  // Library exchanges over relays of the caller's, which outlive it. Its connections stay open also
  // when no exchange is going on.
  explicit ExchangeRunner(Route route);

  // Keeps `at_once` exchanges going for so long, and ends those that have begun.
  ExchangeRun Run(int at_once, double seconds);

  const std::string& name() const { return route_.name; }
  const std::vector<pid_t>& relays() const { return route_.relays; }
  // "relay, SQLite, library"
  static std::string NameOf(Kind kind, Driver driver);

 private:
  struct Slots;
  struct Usage;
  void StartOne(const std::shared_ptr<Slots>& slots);
  void RunMailboxExchanges(const std::shared_ptr<Slots>& slots, int at_once);
  Usage UsageSoFar() const;

  const Driver driver_;
  const std::unique_ptr<Server> server_;  // its own; null: the relays are the caller's
  const Route route_;
  std::shared_ptr<grpc::Channel> channel_;
  std::shared_ptr<Client> client_;
  std::vector<Initiator> waiting_;  // a connection is closed with its last stream
};

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_EXCHANGE_RUNNER_H_
