#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/event_counter.h"
#include "tests/bench/exchange_numbers.h"
#include "tests/bench/exchange_runner.h"
#include "tests/bench/sections.h"

namespace wormhole::bench {
namespace {

constexpr char kSection[] = "exchanges, 16 at once";
constexpr int kAtOnce = 16;
constexpr double kExchangesPerSecond = 1600;

using Runners = std::vector<std::unique_ptr<ExchangeRunner>>;

// The floor first: the others are compared with it.
Runners NewRunners(const Setting& setting, Report& report) {
  std::vector<std::pair<Kind, Driver>> subjects = {{Kind::kFloor, Driver::kRaw},
                                                   {Kind::kMemory, Driver::kRaw},
                                                   {Kind::kSqlite, Driver::kRaw},
                                                   {Kind::kMemory, Driver::kLibrary},
                                                   {Kind::kSqlite, Driver::kLibrary}};
  if (MailboxServerIsInstalled()) {
    subjects.emplace_back(Kind::kMailboxMemory, Driver::kRaw);
    subjects.emplace_back(Kind::kMailboxSqlite, Driver::kRaw);
  } else {
    report.Note(
        "There is nothing of magic-wormhole: python3-magic-wormhole-mailbox-server is not "
        "installed.");
  }
  Runners runners;
  for (const auto& [kind, driver] : subjects) {
    if (ExchangeRunner::NameOf(kind, driver).find(setting.only) == std::string::npos) continue;
    runners.push_back(std::make_unique<ExchangeRunner>(kind, driver, setting.folder));
  }
  return runners;
}

void AddRows(const Runners& runners, const std::vector<ExchangeNumbers>& numbers, Report& report) {
  struct Quantity {
    const char* name;
    const char* unit;
    std::vector<double> ExchangeNumbers::*values;
  };
  static constexpr Quantity kQuantities[] = {
      {"rate", "per s", &ExchangeNumbers::rate},
      {"server CPU per exchange", "us", &ExchangeNumbers::server_cpu},
      {"client CPU per exchange", "us", &ExchangeNumbers::client_cpu},
      {"context switches per exchange", "", &ExchangeNumbers::switches},
      {"requests per exchange", "", &ExchangeNumbers::requests},
      {"responses per exchange", "", &ExchangeNumbers::responses}};
  for (const Quantity& q : kQuantities) {
    for (size_t i = 0; i < runners.size(); ++i) {
      if ((numbers[i].*q.values).empty()) continue;
      Row row = RowOfRounds(kSection, q.name, runners[i]->name(), q.unit, numbers[i].*q.values,
                            numbers[0].*q.values);
      if (q.values == &ExchangeNumbers::rate &&
          row.subject == ExchangeRunner::NameOf(Kind::kSqlite, Driver::kLibrary)) {
        row.aim = Aim{Aim::Of::kValue, Aim::Is::kAtLeast, kExchangesPerSecond};
      }
      report.Add(std::move(row));
    }
  }
}

// In runs of their own, since counting takes time.
void CountEvents(Event event, const std::string& name, const Runners& runners,
                 const Setting& setting, std::vector<ExchangeNumbers>& numbers, Report& report) {
  std::vector<std::vector<double>> counts(runners.size());
  for (int round = 0; round < (setting.quick ? 2 : 5); ++round) {
    for (size_t i = 0; i < runners.size(); ++i) {
      const EventCounter counter(event, runners[i]->relays());
      if (!counter.trouble().empty()) {
        report.Note("There are no " + name + ": " + counter.trouble() + ".");
        return;
      }
      const ExchangeRun run = runners[i]->Run(kAtOnce, setting.quick ? 0.05 : 0.4);
      counts[i].push_back(counter.Read() / std::max(1, run.exchanges));
      numbers[i].failures += run.failures;
    }
  }
  for (size_t i = 0; i < runners.size(); ++i) {
    report.Add(RowOfRounds(kSection, name, runners[i]->name(), "", counts[i], counts[0]));
  }
}

}  // namespace

// Many short rounds instead of a few long ones: a round then is over before the machine is busy
// with something else, and the quartiles are of more than a handful.
void MeasureExchanges(const Setting& setting, Report& report) {
  const Runners runners = NewRunners(setting, report);
  std::vector<ExchangeNumbers> numbers =
      RunInTurns(runners, setting.quick ? 2 : 13, kAtOnce, setting.quick ? 0.1 : 0.8);
  if (runners.empty()) return;
  AddRows(runners, numbers, report);
  CountEvents(Event::kInstructions, "instructions per exchange", runners, setting, numbers, report);
  CountEvents(Event::kSystemCalls, "system calls per exchange", runners, setting, numbers, report);
  for (size_t i = 0; i < runners.size(); ++i) {
    report.Add({kSection, "failed", runners[i]->name(), numbers[i].failures, "in all", 0, {}});
  }
}

void MeasureClaimToData(const Setting& setting, Report& report) {
  const Runners runners = NewRunners(setting, report);
  const std::vector<ExchangeNumbers> numbers =
      RunInTurns(runners, setting.quick ? 2 : 13, 1, setting.quick ? 0.05 : 0.4);
  for (size_t i = 0; i < runners.size(); ++i) {
    report.Add(RowOfRounds("claim to data", "p50", runners[i]->name(), "us",
                           numbers[i].claim_to_data, numbers[0].claim_to_data));
  }
}

}  // namespace wormhole::bench
