#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "proto/rpc/awake_threads.h"
#include "tests/bench/pair_numbers.h"
#include "tests/bench/ping_pong.h"
#include "tests/bench/sections.h"
#include "tests/bench/statistics.h"
#include "tests/bench/usage.h"

namespace wormhole::bench {
namespace {

// A little more than gRPC's threads wait for before they sleep.
constexpr std::chrono::milliseconds kIdle(1050);

struct Numbers {
  std::vector<double> trips;
  double server_cpu = 0, own_cpu = 0;  // microseconds per second
};

// `clients_awake`: as the client library keeps its process. What a server does itself shows then.
Numbers MeasureIdlePair(PairSubject& subject, bool clients_awake, int trips) {
  PingPong pair(subject.server->kind(), subject.first, subject.second);
  std::optional<rpc::AwakeThreads> awake;
  if (clients_awake) awake.emplace();
  pair.Start(100);
  pair.Wait();
  Numbers numbers;
  const double server = CpuMicros(subject.server->pid());
  const double own = OwnCpuMicros();
  const double began = NowMicros();
  for (int i = 0; i < trips; ++i) {
    std::this_thread::sleep_for(kIdle);
    pair.Start(1);
    numbers.trips.push_back(pair.Wait().front());
  }
  const double seconds = (NowMicros() - began) / 1e6;
  numbers.server_cpu = (CpuMicros(subject.server->pid()) - server) / seconds;
  numbers.own_cpu = (OwnCpuMicros() - own) / seconds;
  return numbers;
}

}  // namespace

void MeasureIdle(const Setting& setting, Report& report) {
  const int trips = setting.quick ? 2 : 40;
  for (const Kind kind : {Kind::kFloor, Kind::kMemory}) {
    PairSubject subject(std::make_unique<Server>(kind, setting.folder));
    for (const bool awake : {false, true}) {
      const Numbers n = MeasureIdlePair(subject, awake, trips);
      const std::string name = std::string(NameOf(kind)) + (awake ? "" : ", clients asleep");
      const char* const section = "round trip after an idle second";
      report.Add({section, "p50", name, Percentile(n.trips, 0.5), "us", 0, std::nullopt});
      report.Add({section, "p99", name, Percentile(n.trips, 0.99), "us", 0, std::nullopt});
      report.Add({section, "server CPU", name, n.server_cpu, "us per s", 0, std::nullopt});
      report.Add({section, "clients' CPU", name, n.own_cpu, "us per s", 0, std::nullopt});
    }
  }
}

}  // namespace wormhole::bench
