#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "tests/bench/pair_numbers.h"
#include "tests/bench/sections.h"

namespace wormhole::bench {
namespace {

// What counting may cost.
constexpr double kAim = 1.05;

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
    const std::vector<double>& base = without.*q.values;
    report.Add(RowOfRounds("metrics", q.name, "without", "us", base, base));
    Row row = RowOfRounds("metrics", q.name, "with", "us", with.*q.values, base);
    row.aim = Aim{.limit = kAim};
    report.Add(std::move(row));
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
