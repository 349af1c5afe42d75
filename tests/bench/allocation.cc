#include <memory>
#include <string>
#include <vector>

#include "tests/bench/sections.h"
#include "tests/bench/seeded_relay.h"

namespace wormhole::bench {
namespace {

constexpr int kBatch = 32;

// What is in use before the allocations that are measured.
struct Case {
  const char* name;
  bool many_apps;  // one for each allocation of a batch, so that each finds the same
  uint32_t first;
  uint32_t last;
  uint32_t min_digits;
  size_t digits;  // of the ids that are drawn
};

// The ids of an app-id with so many active channels are the smallest ones: lengths fill up.
constexpr Case kCases[] = {
    {"10 active ids", true, 1, 10, 0, 2},
    {"10,000 active ids", false, 1, 10'000, 0, 5},
    {"1,000,000 active ids", false, 1, 1'000'000, 0, 7},
    {"899 of 900 three-digit ids taken", true, 100, 998, 3, 3},
    {"1 to 5 digits full", false, 1, 99'999, 0, 6},
};

// The million is left as it is in the quick form: it takes a second or two, and is the point.
struct Subject {
  explicit Subject(const Case& setup)
      : setup(setup), relay(setup.many_apps ? kBatch : 1, setup.first, setup.last) {
    Run();  // to warm up
    numbers.clear();
    cpu_numbers.clear();
  }

  void Run() {
    const AllocationTime time = relay.Allocate(kBatch, setup.min_digits, setup.digits);
    numbers.push_back(time.wall_micros);
    cpu_numbers.push_back(time.cpu_micros);
  }

  const Case& setup;
  SeededRelay relay;
  std::vector<double> numbers;
  std::vector<double> cpu_numbers;
};

}  // namespace

void MeasureAllocation(const Setting& setting, Report& report) {
  const int batches = setting.quick ? 3 : 50;
  std::vector<std::unique_ptr<Subject>> subjects;
  for (const Case& setup : kCases) subjects.push_back(std::make_unique<Subject>(setup));
  for (int batch = 0; batch < batches; ++batch) {
    for (const auto& subject : subjects) subject->Run();
  }
  const auto add = [&](const char* section, std::vector<double> Subject::*numbers, bool aimed) {
    for (const auto& subject : subjects) {
      Row row = RowOfRounds(section, subject->setup.name, "switchboard", "us", (*subject).*numbers,
                            (*subjects[0]).*numbers);
      if (aimed && subject != subjects[0]) row.aim = Aim{.limit = 1.5};
      report.Add(std::move(row));
    }
  };
  add("allocation, time", &Subject::numbers, true);
  add("allocation, CPU", &Subject::cpu_numbers, false);
}

}  // namespace wormhole::bench
