#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/exchange_numbers.h"
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

}  // namespace

void MeasureExchanges(const Setting& setting, Report& report) {
  const auto runners = NewRunners(setting);
  const std::vector<ExchangeNumbers> numbers =
      RunInTurns(runners, setting.quick ? 1 : 5, kAtOnce, setting.quick ? 0.2 : 2.0);
  if (runners.empty()) return;
  const char* const kSection = "exchanges, 16 at once";
  const auto add = [&](const char* quantity, const char* unit,
                       std::vector<double> ExchangeNumbers::*values, bool aimed) {
    const double floor = Median(numbers[0].*values);
    for (size_t i = 0; i < runners.size(); ++i) {
      const double value = Median(numbers[i].*values);
      Row row = {kSection, quantity, runners[i]->name(), value, unit, value / floor, {}};
      if (aimed && row.subject == ExchangeRunner::NameOf(Kind::kSqlite, Driver::kLibrary)) {
        row.aim = Aim{Aim::Of::kValue, Aim::Is::kAtLeast, kExchangesPerSecond};
      }
      report.Add(std::move(row));
    }
  };
  add("rate", "per s", &ExchangeNumbers::rate, true);
  add("server CPU per exchange", "us", &ExchangeNumbers::server_cpu, false);
  add("client CPU per exchange", "us", &ExchangeNumbers::client_cpu, false);
  for (size_t i = 0; i < runners.size(); ++i) {
    report.Add({kSection, "failed", runners[i]->name(), numbers[i].failures, "in all", 0, {}});
  }
}

void MeasureClaimToData(const Setting& setting, Report& report) {
  const auto runners = NewRunners(setting);
  const std::vector<ExchangeNumbers> numbers =
      RunInTurns(runners, setting.quick ? 1 : 5, 1, setting.quick ? 0.1 : 1.0);
  if (runners.empty()) return;
  const double floor = Median(numbers[0].claim_to_data);
  for (size_t i = 0; i < runners.size(); ++i) {
    const double value = Median(numbers[i].claim_to_data);
    report.Add({"claim to data", "p50", runners[i]->name(), value, "us", value / floor, {}});
  }
}

}  // namespace wormhole::bench
