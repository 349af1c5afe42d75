// What is collected of a runner's exchanges over the rounds.
#ifndef WORMHOLE_TESTS_BENCH_EXCHANGE_NUMBERS_H_
#define WORMHOLE_TESTS_BENCH_EXCHANGE_NUMBERS_H_

#include <memory>
#include <vector>

#include "tests/bench/exchange_runner.h"

namespace wormhole::bench {

// One number for each round, of which the median counts. None of what the runner does not have:
// etcd, a client that counts messages.
struct ExchangeNumbers {
  std::vector<double> rate, server_cpu, etcd_cpu, client_cpu, claim_to_data;
  std::vector<double> switches, requests, responses;  // per exchange
  double failures = 0;

  void Add(const ExchangeRun& run);
};

// `rounds` times each runner in turn, after a while to warm up. Each round begins with another one,
// so that what follows on what is not always the same.
std::vector<ExchangeNumbers> RunInTurns(const std::vector<std::unique_ptr<ExchangeRunner>>& runners,
                                        int rounds, int at_once, double seconds);

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_EXCHANGE_NUMBERS_H_
