#include <cstdint>
#include <memory>
#include <vector>

#include "tests/bench/pair_numbers.h"
#include "tests/bench/sections.h"
#include "tests/bench/statistics.h"

namespace wormhole::bench {
namespace {

// What counting may cost.
constexpr double kAim = 1.05;

// Of each round, since what else the machine does changes from one to the next.
std::vector<double> Ratios(const std::vector<double>& of, const std::vector<double>& to) {
  std::vector<double> ratios;
  for (size_t i = 0; i < of.size(); ++i) ratios.push_back(of[i] / to[i]);
  return ratios;
}

void AddRows(const PairNumbers& without, const PairNumbers& with, Report& report) {
  struct Quantity {
    const char* name;
    std::vector<double> PairNumbers::*values;
  };
  static constexpr Quantity kQuantities[] = {
      {"round trip, p50", &PairNumbers::p50},
      {"server CPU per message, one pair", &PairNumbers::cpu},
      {"server CPU per message, 16 pairs", &PairNumbers::busy_cpu}};
  for (const Quantity& q : kQuantities) {
    report.Add({"metrics", q.name, "without", Median(without.*q.values), "us", 1, {}});
    report.Add({"metrics", q.name, "with", Median(with.*q.values), "us",
                Median(Ratios(with.*q.values, without.*q.values)), Aim{.limit = kAim}});
  }
}

}  // namespace

void MeasureMetricsCost(const Setting& setting, Report& report) {
  const int rounds = setting.quick ? 1 : 25;
  const uint64_t trips = setting.quick ? 160 : 2000;
  // The memory store, beside which counting weighs most.
  PairSubject without(std::make_unique<Server>(Kind::kMemory, setting.folder));
  PairSubject with(std::make_unique<Server>(Kind::kMemory, setting.folder,
                                            RelaySetup{.metrics_listen = "127.0.0.1:0"}));
  for (int round = 0; round < rounds; ++round) {
    // Whoever is second may find the processor faster, or slower.
    PairSubject& first = round % 2 == 0 ? without : with;
    PairSubject& second = round % 2 == 0 ? with : without;
    for (PairSubject* const subject : {&first, &second}) MeasureOnePair(*subject, trips);
    for (PairSubject* const subject : {&first, &second}) MeasureSixteenPairs(*subject, trips);
  }
  AddRows(without.numbers, with.numbers, report);
}

}  // namespace wormhole::bench
