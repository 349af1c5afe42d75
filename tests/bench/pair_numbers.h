// What pairs of sides measure of one server: how long their frames take, and what it costs it.
#ifndef WORMHOLE_TESTS_BENCH_PAIR_NUMBERS_H_
#define WORMHOLE_TESTS_BENCH_PAIR_NUMBERS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "grpcpp/channel.h"
#include "tests/bench/servers.h"

namespace wormhole::bench {

// One value for each round. Microseconds; of CPU per message; rates per second.
struct PairNumbers {
  std::vector<double> p50, p99, cpu, busy_rate, busy_cpu;
};

struct PairSubject {
  explicit PairSubject(std::unique_ptr<Server> server);

  std::unique_ptr<Server> server;
  // One for each side of a pair.
  std::shared_ptr<grpc::Channel> first, second;
  PairNumbers numbers;
};

// Adds to p50, p99 and cpu: one pair, after a tenth of the trips.
void MeasureOnePair(PairSubject& subject, uint64_t trips);
// Adds to busy_rate and busy_cpu: an eighth of the trips for each pair.
void MeasureSixteenPairs(PairSubject& subject, uint64_t trips);

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_PAIR_NUMBERS_H_
