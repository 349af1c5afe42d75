#include "tests/bench/pair_numbers.h"

#include <utility>

#include "tests/bench/ping_pong.h"
#include "tests/bench/raw_side.h"
#include "tests/bench/statistics.h"
#include "tests/bench/usage.h"

namespace wormhole::bench {

PairSubject::PairSubject(std::unique_ptr<Server> the_server)
    : server(std::move(the_server)),
      first(Connect(server->address())),
      second(Connect(server->address())) {}

void MeasureOnePair(PairSubject& subject, uint64_t trips) {
  PingPong pair(subject.server->kind(), subject.first, subject.second);
  pair.Start(trips / 10);
  pair.Wait();
  const double cpu = CpuMicros(subject.server->pid());
  pair.Start(trips);
  const std::vector<double> samples = pair.Wait();
  const double used = CpuMicros(subject.server->pid()) - cpu;
  subject.numbers.p50.push_back(Percentile(samples, 0.5));
  subject.numbers.p99.push_back(Percentile(samples, 0.99));
  subject.numbers.cpu.push_back(used / static_cast<double>(2 * trips));
}

void MeasureSixteenPairs(PairSubject& subject, uint64_t trips) {
  std::vector<std::unique_ptr<PingPong>> pairs;
  for (int i = 0; i < 16; ++i) {
    pairs.push_back(
        std::make_unique<PingPong>(subject.server->kind(), subject.first, subject.second));
  }
  const double cpu = CpuMicros(subject.server->pid());
  const double began = NowMicros();
  for (auto& pair : pairs) pair->Start(trips / 8);
  for (auto& pair : pairs) pair->Wait();
  const double seconds = (NowMicros() - began) / 1e6;
  const double messages = static_cast<double>(16 * (trips / 8) * 2);
  subject.numbers.busy_rate.push_back(messages / seconds);
  subject.numbers.busy_cpu.push_back((CpuMicros(subject.server->pid()) - cpu) / messages);
}

}  // namespace wormhole::bench
