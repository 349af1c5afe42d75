#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/crowd.h"
#include "tests/bench/sections.h"
#include "tests/bench/statistics.h"
#include "tests/bench/usage.h"
#include "tests/support/etcd_server.h"
#include "tests/support/reserved_port.h"

namespace wormhole::bench {
namespace {

constexpr char kFirst[] = "the first relay";
constexpr char kSecond[] = "the second relay";

struct Numbers {
  std::vector<double> drain, p50, p99, last;
  double failures = 0;
};

// Every client knows both relays, and is connected to the second one soon after that is there. A
// relay has some ten descriptors of its own: so many clients may be late.
void AwaitConnections(const Server& relay, int count) {
  for (int i = 0; i < 600; ++i) {
    if (Descriptors(relay.pid()) >= count) return;
    // Another process's connections: nothing tells when there is one more.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  std::fprintf(stderr, "bench: waited a minute for clients to connect\n");
  std::exit(EXIT_FAILURE);
}

void DrainOne(Numbers& numbers, const testing::EtcdCluster& etcd, int count,
              const Setting& setting) {
  const testing::ReservedPort port;
  Server first(Kind::kEtcd, setting.folder, {.etcd = etcd.endpoints(), .motd = kFirst});
  Crowd crowd(count, [&](int) { return "ipv4:" + first.address() + "," + port.host_port(); });
  const Server second(Kind::kEtcd, setting.folder,
                      {.listen = port.host_port(), .etcd = etcd.endpoints(), .motd = kSecond});
  AwaitConnections(second, count);

  const std::vector<int> sides = crowd.At(kFirst);
  const double since = NowMicros();
  first.Signal(SIGTERM);
  if (first.WaitForExit() != 0) ++numbers.failures;
  numbers.drain.push_back(NowMicros() - since);
  const std::vector<double> again = crowd.AwaitAgain(sides, since);
  numbers.p50.push_back(Percentile(again, 0.5));
  numbers.p99.push_back(Percentile(again, 0.99));
  numbers.last.push_back(*std::max_element(again.begin(), again.end()));
  numbers.failures += crowd.failures();
  numbers.failures += static_cast<double>(sides.size() - crowd.At(kSecond).size());
}

}  // namespace

void MeasureDrain(const Setting& setting, Report& report) {
  const int count = setting.quick ? 20 : 1000;
  const testing::EtcdCluster etcd({.fsync = true, .folder = setting.folder.path()});
  Numbers numbers;
  for (int round = 0; round < (setting.quick ? 1 : 3); ++round) {
    DrainOne(numbers, etcd, count, setting);
  }
  const std::string section = "drain, " + std::to_string(count) + " sides";
  const auto add = [&](const char* quantity, const std::vector<double>& values) {
    report.Add(RowOfRounds(section, quantity, "one of two, etcd", "us", values, {}));
  };
  add("SIGTERM to its end", numbers.drain);
  add("attached again, p50", numbers.p50);
  add("attached again, p99", numbers.p99);
  add("attached again, last", numbers.last);
  report.Add({section, "failed", "one of two, etcd", numbers.failures, "in all", 0, {}});
}

}  // namespace wormhole::bench
