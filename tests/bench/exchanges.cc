#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/exchange_runner.h"
#include "tests/bench/sections.h"
#include "tests/bench/statistics.h"

namespace wormhole::bench {
namespace {

constexpr int kAtOnce = 16;
constexpr double kExchangesPerSecond = 1600;

// The floor first: the others are compared with it.
std::vector<std::unique_ptr<ExchangeRunner>> NewRunners(const Setting& setting) {
  std::vector<std::unique_ptr<ExchangeRunner>> runners;
  for (const auto& [kind, driver] :
       {std::pair(Kind::kFloor, Driver::kRaw), std::pair(Kind::kMemory, Driver::kRaw),
        std::pair(Kind::kSqlite, Driver::kRaw), std::pair(Kind::kMemory, Driver::kLibrary),
        std::pair(Kind::kSqlite, Driver::kLibrary)}) {
    if (ExchangeRunner::NameOf(kind, driver).find(setting.only) == std::string::npos) continue;
    runners.push_back(std::make_unique<ExchangeRunner>(kind, driver, setting.folder));
  }
  return runners;
}

// Medians over the rounds.
struct Numbers {
  std::vector<double> rate, server_cpu, client_cpu, claim_to_data;
  double failures = 0;

  void Add(const ExchangeRun& run) {
    const double count = std::max(1, run.exchanges);
    rate.push_back(run.exchanges / run.seconds);
    server_cpu.push_back(run.server_cpu_micros / count);
    client_cpu.push_back(run.client_cpu_micros / count);
    claim_to_data.push_back(Percentile(run.claim_to_data, 0.5));
    failures += run.failures;
  }
};

std::vector<Numbers> RunInTurns(const std::vector<std::unique_ptr<ExchangeRunner>>& runners,
                                int rounds, int at_once, double seconds) {
  for (const auto& runner : runners) runner->Run(at_once, seconds / 5);  // to warm up
  std::vector<Numbers> numbers(runners.size());
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < runners.size(); ++i) {
      numbers[i].Add(runners[i]->Run(at_once, seconds));
    }
  }
  return numbers;
}

}  // namespace

void MeasureExchanges(const Setting& setting, Report& report) {
  const auto runners = NewRunners(setting);
  const std::vector<Numbers> numbers =
      RunInTurns(runners, setting.quick ? 1 : 5, kAtOnce, setting.quick ? 0.2 : 2.0);
  if (runners.empty()) return;
  const char* const kSection = "exchanges, 16 at once";
  const auto add = [&](const char* quantity, const char* unit, std::vector<double> Numbers::*values,
                       bool aimed) {
    const double floor = Median(numbers[0].*values);
    for (size_t i = 0; i < runners.size(); ++i) {
      const double value = Median(numbers[i].*values);
      Row row = {kSection, quantity, runners[i]->name(), value, unit, value / floor, {}};
      if (aimed && runners[i]->driver() == Driver::kLibrary &&
          runners[i]->kind() == Kind::kSqlite) {
        row.aim = Aim{Aim::Of::kValue, Aim::Is::kAtLeast, kExchangesPerSecond};
      }
      report.Add(std::move(row));
    }
  };
  add("rate", "per s", &Numbers::rate, true);
  add("server CPU per exchange", "us", &Numbers::server_cpu, false);
  add("client CPU per exchange", "us", &Numbers::client_cpu, false);
  for (size_t i = 0; i < runners.size(); ++i) {
    report.Add({kSection, "failed", runners[i]->name(), numbers[i].failures, "in all", 0, {}});
  }
}

void MeasureClaimToData(const Setting& setting, Report& report) {
  const auto runners = NewRunners(setting);
  const std::vector<Numbers> numbers =
      RunInTurns(runners, setting.quick ? 1 : 5, 1, setting.quick ? 0.1 : 1.0);
  if (runners.empty()) return;
  const double floor = Median(numbers[0].claim_to_data);
  for (size_t i = 0; i < runners.size(); ++i) {
    const double value = Median(numbers[i].claim_to_data);
    report.Add({"claim to data", "p50", runners[i]->name(), value, "us", value / floor, {}});
  }
}

}  // namespace wormhole::bench
