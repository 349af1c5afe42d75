#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/exchange_numbers.h"
#include "tests/bench/exchange_runner.h"
#include "tests/bench/ping_pong.h"
#include "tests/bench/sections.h"
#include "tests/bench/statistics.h"
#include "tests/bench/usage.h"
#include "tests/support/etcd_server.h"

namespace wormhole::bench {
namespace {

// As many as elsewhere, and as many as let each relay's batches fill up.
constexpr int kAtOnce[] = {16, 64};
// Of the rate of one relay on SQLite.
constexpr double kRate = 0.5;

// Two relays that serve as one, and one that stands for itself, with their data on one disk.
struct Relays {
  explicit Relays(const testing::TempFolder& folder)
      : etcd({.fsync = true, .folder = folder.path()}),
        sqlite(Kind::kSqlite, folder),
        first(Kind::kEtcd, folder, {.etcd = etcd.endpoints()}),
        second(Kind::kEtcd, folder, {.etcd = etcd.endpoints()}) {}

  const testing::EtcdCluster etcd;
  const Server sqlite;
  const Server first;
  const Server second;
};

constexpr char kOneRelay[] = "one relay, etcd";
constexpr char kTwoRelays[] = "two relays, etcd";

// SQLite first: the others are compared with it.
std::vector<Route> Routes(const Relays& relays) {
  const std::string& first = relays.first.address();
  const std::string& second = relays.second.address();
  const std::string both = "ipv4:" + first + "," + second;
  const std::vector<pid_t> pids = {relays.first.pid(), relays.second.pid()};
  const pid_t etcd = relays.etcd.pid(0);
  return {{NameOf(Kind::kSqlite),
           relays.sqlite.address(),
           relays.sqlite.address(),
           {relays.sqlite.pid()}},
          {kOneRelay, first, first, pids, etcd},
          {kTwoRelays, first, second, pids, etcd},
          {"two relays, round_robin", both, both, pids, etcd}};
}

void AddExchangeRows(int at_once, const std::vector<std::unique_ptr<ExchangeRunner>>& runners,
                     const std::vector<ExchangeNumbers>& numbers, Report& report) {
  const std::string section = "group, " + std::to_string(at_once) + " at once";
  const auto add = [&](const char* quantity, const char* unit,
                       std::vector<double> ExchangeNumbers::*values, bool aimed) {
    for (size_t i = 0; i < runners.size(); ++i) {
      if ((numbers[i].*values).empty()) continue;  // one without etcd
      Row row = RowOfRounds(section, quantity, runners[i]->name(), unit, numbers[i].*values,
                            numbers[0].*values);
      if (aimed && i != 0) row.aim = Aim{Aim::Of::kRatio, Aim::Is::kAtLeast, kRate};
      report.Add(std::move(row));
    }
  };
  add("rate", "per s", &ExchangeNumbers::rate, true);
  add("relay CPU per exchange", "us", &ExchangeNumbers::server_cpu, false);
  add("etcd CPU per exchange", "us", &ExchangeNumbers::etcd_cpu, false);
  add("client CPU per exchange", "us", &ExchangeNumbers::client_cpu, false);
  for (size_t i = 0; i < runners.size(); ++i) {
    report.Add({section, "failed", runners[i]->name(), numbers[i].failures, "in all", 0, {}});
  }
}

void MeasureGroupExchanges(const Relays& relays, const Setting& setting, Report& report) {
  std::vector<std::unique_ptr<ExchangeRunner>> runners;
  for (Route& route : Routes(relays)) {
    if (route.name.find(setting.only) == std::string::npos) continue;
    runners.push_back(std::make_unique<ExchangeRunner>(std::move(route)));
  }
  if (runners.empty()) return;
  const int rounds = setting.quick ? 1 : 5;
  for (const int at_once : kAtOnce) {
    const auto numbers = RunInTurns(runners, rounds, at_once, setting.quick ? 0.2 : 2.0);
    AddExchangeRows(at_once, runners, numbers, report);
  }
  const std::vector<ExchangeNumbers> numbers =
      RunInTurns(runners, rounds, 1, setting.quick ? 0.1 : 1.0);
  const std::vector<double>& base = numbers[0].claim_to_data;
  for (size_t i = 0; i < runners.size(); ++i) {
    const std::vector<double>& values = numbers[i].claim_to_data;
    report.Add(RowOfRounds("group, one at a time", "claim to data, p50", runners[i]->name(), "us",
                           values, base));
    if (i == 0) continue;
    report.Add({"group, one at a time",
                "added by it",
                runners[i]->name(),
                Median(values) - Median(base),
                "us",
                0,
                {}});
  }
}

struct Pair {
  const char* name;
  Kind kind;
  std::shared_ptr<grpc::Channel> first, second;
  std::vector<double> p50 = {}, p99 = {};

  void Run(uint64_t trips) {
    PingPong pair(kind, first, second);
    pair.Start(trips / 10);  // to warm up
    pair.Wait();
    pair.Start(trips);
    const std::vector<double> samples = pair.Wait();
    p50.push_back(Percentile(samples, 0.5));
    p99.push_back(Percentile(samples, 0.99));
  }
};

void MeasureGroupRoundTrips(const Relays& relays, const Setting& setting, Report& report) {
  const auto pair = [](const char* name, const Server& first, const Server& second) {
    return Pair{name, first.kind(), Connect(first.address()), Connect(second.address())};
  };
  std::vector<Pair> pairs = {pair(NameOf(Kind::kSqlite), relays.sqlite, relays.sqlite),
                             pair(kOneRelay, relays.first, relays.first),
                             pair(kTwoRelays, relays.first, relays.second)};
  for (int round = 0; round < (setting.quick ? 1 : 5); ++round) {
    for (Pair& pair : pairs) pair.Run(setting.quick ? 20 : 300);
  }
  for (const auto& [quantity, values] :
       {std::pair("p50", &Pair::p50), std::pair("p99", &Pair::p99)}) {
    for (const Pair& pair : pairs) {
      report.Add(RowOfRounds("group, round trip of 256 B", quantity, pair.name, "us", pair.*values,
                             pairs[0].*values));
    }
  }
}

}  // namespace

void MeasureGroup(const Setting& setting, Report& report) {
  const Relays relays(setting.folder);
  MeasureGroupExchanges(relays, setting, report);
  MeasureGroupRoundTrips(relays, setting, report);
}

}  // namespace wormhole::bench
