#include "tests/bench/report.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <utility>

#include "nlohmann/json.hpp"

namespace wormhole::bench {
namespace {

bool Met(const Row& row) {
  const double number = row.aim->of == Aim::Of::kRatio ? row.ratio : row.value;
  return row.aim->is == Aim::Is::kAtMost ? number <= row.aim->limit : number >= row.aim->limit;
}

std::string AimText(const Row& row) {
  if (!row.aim) return "";
  char text[64];
  std::snprintf(text, sizeof(text), "%s %g%s  %s",
                row.aim->is == Aim::Is::kAtMost ? "<=" : ">=", row.aim->limit,
                row.aim->of == Aim::Of::kRatio ? "x" : "", Met(row) ? "met" : "MISSED");
  return text;
}

nlohmann::json ToJson(const Row& row) {
  nlohmann::json json = {{"section", row.section},
                         {"quantity", row.quantity},
                         {"subject", row.subject},
                         {"value", row.value},
                         {"unit", row.unit}};
  if (row.ratio != 0) json["ratio"] = row.ratio;
  if (row.aim) {
    json["aim"] = {{"of", row.aim->of == Aim::Of::kRatio ? "ratio" : "value"},
                   {"is", row.aim->is == Aim::Is::kAtMost ? "at most" : "at least"},
                   {"limit", row.aim->limit},
                   {"met", Met(row)}};
  }
  return json;
}

}  // namespace

double LoadAverage() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : 0;
}

void Report::Add(Row row) { rows_.push_back(std::move(row)); }

void Report::Print() const {
  std::printf("%u cores; load average %.1f before the run, %.1f after it\n",
              std::thread::hardware_concurrency(), load_before_, LoadAverage());
  std::string section;
  for (const Row& row : rows_) {
    if (row.section != section) {
      section = row.section;
      std::printf("\n%-33s %-26s %12s %-10s %8s  %s\n", section.c_str(), "", "", "", "ratio",
                  "aim");
    }
    char ratio[16] = "";
    if (row.ratio != 0) std::snprintf(ratio, sizeof(ratio), "%.2f", row.ratio);
    std::printf("  %-31s %-26s %12.1f %-10s %8s  %s\n", row.quantity.c_str(), row.subject.c_str(),
                row.value, row.unit.c_str(), ratio, AimText(row).c_str());
  }
  std::fflush(stdout);
}

bool Report::WriteJson(const std::string& path) const {
  nlohmann::json json = {{"cores", std::thread::hardware_concurrency()},
                         {"load_before", load_before_},
                         {"load_after", LoadAverage()},
                         {"rows", nlohmann::json::array()}};
  for (const Row& row : rows_) json["rows"].push_back(ToJson(row));
  std::ofstream file(path);
  file << json.dump(2) << "\n";
  file.close();
  return file.good();
}

}  // namespace wormhole::bench
