#include <signal.h>

#include <string>
#include <utility>
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
// Microseconds.
constexpr double kAgainAtMost = 1e6;

// Of all rounds together.
struct Numbers {
  const char* name;
  std::vector<double> times = {};
  double failures = 0;

  // Of these sides, whose relay is killed by `kill`.
  template <typename Kill>
  void Run(Crowd& crowd, const std::vector<int>& sides, const Kill& kill) {
    const double since = NowMicros();
    kill();
    const std::vector<double> again = crowd.AwaitAgain(sides, since);
    times.insert(times.end(), again.begin(), again.end());
    failures += crowd.failures();
  }
};

// Half of the sides or more have to go to another relay.
void KillOneOfTwo(Numbers& numbers, const testing::EtcdCluster& etcd, int count,
                  const Setting& setting) {
  Server first(Kind::kEtcd, setting.folder, {.etcd = etcd.endpoints(), .motd = kFirst});
  Server second(Kind::kEtcd, setting.folder, {.etcd = etcd.endpoints(), .motd = kSecond});
  // A new connection's first stream goes where the connection is there first. A resolver gives the
  // addresses in any order.
  Crowd crowd(count, [&](int number) {
    return "ipv4:" + (number % 2 == 0 ? first : second).address() + "," +
           (number % 2 == 0 ? second : first).address();
  });
  // So that there are some, wherever gRPC has sent them.
  const bool most_at_first = crowd.At(kFirst).size() >= crowd.At(kSecond).size();
  Server& killed = most_at_first ? first : second;
  numbers.Run(crowd, crowd.At(most_at_first ? kFirst : kSecond), [&] { killed.Signal(SIGKILL); });
}

// All of the sides have to wait for it.
void KillAndRestart(Numbers& numbers, int count, const Setting& setting) {
  const testing::ReservedPort port;
  Server relay(Kind::kSqlite, setting.folder, {.listen = port.host_port(), .motd = kFirst});
  Crowd crowd(count, [&](int) { return relay.address(); });
  numbers.Run(crowd, crowd.At(kFirst), [&] {
    relay.Signal(SIGKILL);
    relay.WaitForExit();
    relay.Start();
  });
}

void AddRows(const Numbers& numbers, Report& report) {
  const char* const kSection = "attached again after kill -9";
  report.Add({kSection,
              "sides",
              numbers.name,
              static_cast<double>(numbers.times.size()),
              "in all",
              0,
              {}});
  report.Add({kSection, "p50", numbers.name, Percentile(numbers.times, 0.5), "us", 0, {}});
  report.Add({kSection, "p99", numbers.name, Percentile(numbers.times, 0.99), "us", 0,
              Aim{Aim::Of::kValue, Aim::Is::kAtMost, kAgainAtMost}});
  report.Add({kSection, "failed", numbers.name, numbers.failures, "in all", 0, {}});
}

}  // namespace

void MeasureReattach(const Setting& setting, Report& report) {
  const int count = setting.quick ? 10 : 200;
  const testing::EtcdCluster etcd({.fsync = true, .folder = setting.folder.path()});
  Numbers two{"one of two, etcd"};
  Numbers one{"restarted, SQLite"};
  for (int round = 0; round < (setting.quick ? 1 : 5); ++round) {
    KillOneOfTwo(two, etcd, count, setting);
    KillAndRestart(one, count, setting);
  }
  AddRows(two, report);
  AddRows(one, report);
}

}  // namespace wormhole::bench
