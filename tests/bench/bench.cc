// Measures the relay and the client library against the floor (tests/bench/floor_server.cc), prints
// a table, writes JSON and draws a chart.
//
//   bazel run -c opt //tests/bench                      everything, some minutes
//   bazel run -c opt //tests/bench -- --sections=round_trip,exchanges --json=/tmp/bench.json
//   bazel run -c opt //tests/bench -- --sections=exchanges --svg=/tmp/exchanges.svg
//
// Absolute numbers depend on the machine and on what else it does; subjects take turns, so that
// ratios within one run hold. Beside each median stands where the middle half of the rounds lies.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sodium.h"
#include "tests/bench/report.h"
#include "tests/bench/sections.h"
#include "tests/bench/servers.h"
#include "tests/bench/usage.h"

ABSL_FLAG(std::string, json, "", "file for the numbers as JSON");
ABSL_FLAG(std::string, svg, "", "file for the ratios as a chart, in SVG");
ABSL_FLAG(
    std::string, sections, "",
    "which of round_trip, idle, metrics, connections, memory, exchanges, claim_to_data, group, "
    "reattach, drain, allocation; empty: all");
ABSL_FLAG(bool, quick, false, "small numbers: whether it works, not how fast");
ABSL_FLAG(std::string, only, "",
          "measure exchanges and connections of subjects with this in their name only, e.g. "
          "\"SQLite, library\"");
ABSL_FLAG(std::string, folder, "",
          "where SQLite's and etcd's files are made for the run; empty: $TEST_TMPDIR or /var/tmp");

namespace wormhole::bench {
namespace {

struct Section {
  const char* name;
  void (*measure)(const Setting& setting, Report& report);
};

constexpr Section kSections[] = {{"round_trip", MeasureRoundTrips},
                                 {"idle", MeasureIdle},
                                 {"metrics", MeasureMetricsCost},
                                 {"connections", MeasureConnections},
                                 {"memory", MeasureMemory},
                                 {"exchanges", MeasureExchanges},
                                 {"claim_to_data", MeasureClaimToData},
                                 {"group", MeasureGroup},
                                 {"reattach", MeasureReattach},
                                 {"drain", MeasureDrain},
                                 {"allocation", MeasureAllocation}};

// The sections that were asked for; none when a name is unknown.
std::vector<Section> Choose(const std::string& names) {
  std::vector<Section> chosen;
  if (names.empty()) return {std::begin(kSections), std::end(kSections)};
  for (const auto name : absl::StrSplit(names, ',')) {
    const size_t before = chosen.size();
    for (const Section& section : kSections) {
      if (name == section.name) chosen.push_back(section);
    }
    if (chosen.size() == before) return {};
  }
  return chosen;
}

std::string ParentFolder() {
  if (const std::string flag = absl::GetFlag(FLAGS_folder); !flag.empty()) return flag;
  const char* const test = std::getenv("TEST_TMPDIR");
  return test != nullptr ? test : "/var/tmp";
}

int Run() {
  const std::vector<Section> sections = Choose(absl::GetFlag(FLAGS_sections));
  if (sections.empty()) {
    std::fprintf(stderr, "bench: --sections names something that is no section; see --help\n");
    return 2;
  }
  if (sodium_init() < 0) return EXIT_FAILURE;
  RaiseDescriptorLimit();
  const testing::TempFolder folder(ParentFolder());
  const Setting setting{
      .quick = absl::GetFlag(FLAGS_quick), .folder = folder, .only = absl::GetFlag(FLAGS_only)};
  Report report(LoadAverage());
  for (const Section& section : sections) {
    std::fprintf(stderr, "measuring %s\n", section.name);
    section.measure(setting, report);
  }
  report.Print();
  bool written = true;
  for (const auto& [file, write] : {std::pair(absl::GetFlag(FLAGS_json), &Report::WriteJson),
                                    std::pair(absl::GetFlag(FLAGS_svg), &Report::WriteSvg)}) {
    if (file.empty() || (report.*write)(file)) continue;
    std::fprintf(stderr, "bench: cannot write %s\n", file.c_str());
    written = false;
  }
  return written ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace wormhole::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Measures the relay and the client library against a floor.");
  absl::ParseCommandLine(argc, argv);
  return wormhole::bench::Run();
}
