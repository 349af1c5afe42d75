#include "tests/bench/exchange_numbers.h"

#include <algorithm>
#include <cstddef>

#include "tests/bench/statistics.h"

namespace wormhole::bench {

void ExchangeNumbers::Add(const ExchangeRun& run) {
  const double count = std::max(1, run.exchanges);
  rate.push_back(run.exchanges / run.seconds);
  server_cpu.push_back(run.server_cpu_micros / count);
  if (run.etcd_cpu_micros > 0) etcd_cpu.push_back(run.etcd_cpu_micros / count);
  client_cpu.push_back(run.client_cpu_micros / count);
  claim_to_data.push_back(Percentile(run.claim_to_data, 0.5));
  switches.push_back(run.switches / count);
  if (run.traffic.requests > 0) {
    requests.push_back(run.traffic.requests / count);
    responses.push_back(run.traffic.responses / count);
  }
  failures += run.failures;
}

std::vector<ExchangeNumbers> RunInTurns(const std::vector<std::unique_ptr<ExchangeRunner>>& runners,
                                        int rounds, int at_once, double seconds) {
  for (const auto& runner : runners) runner->Run(at_once, seconds / 5);  // to warm up
  std::vector<ExchangeNumbers> numbers(runners.size());
  for (int round = 0; round < rounds; ++round) {
    for (size_t turn = 0; turn < runners.size(); ++turn) {
      const size_t i = (turn + round) % runners.size();
      numbers[i].Add(runners[i]->Run(at_once, seconds));
    }
  }
  return numbers;
}

}  // namespace wormhole::bench
