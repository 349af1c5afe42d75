#include "tests/bench/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <utility>

#include "nlohmann/json.hpp"
#include "tests/bench/chart.h"
#include "tests/bench/statistics.h"

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

std::optional<MiddleHalf> SpreadOf(const std::vector<double>& values) {
  if (values.size() < 2) return std::nullopt;
  return MiddleHalf{.lower = Percentile(values, 0.25), .upper = Percentile(values, 0.75)};
}

std::string SpreadText(const std::optional<MiddleHalf>& spread, int digits) {
  if (!spread) return "";
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f-%.*f", digits, spread->lower, digits, spread->upper);
  return text;
}

nlohmann::json ToJson(const MiddleHalf& spread) {
  return {{"lower_quartile", spread.lower}, {"upper_quartile", spread.upper}};
}

nlohmann::json ToJson(const Row& row) {
  nlohmann::json json = {{"section", row.section},
                         {"quantity", row.quantity},
                         {"subject", row.subject},
                         {"value", row.value},
                         {"unit", row.unit}};
  if (row.ratio != 0) json["ratio"] = row.ratio;
  if (row.value_spread) json["value_spread"] = ToJson(*row.value_spread);
  if (row.ratio_spread) json["ratio_spread"] = ToJson(*row.ratio_spread);
  if (row.aim) {
    json["aim"] = {{"of", row.aim->of == Aim::Of::kRatio ? "ratio" : "value"},
                   {"is", row.aim->is == Aim::Is::kAtMost ? "at most" : "at least"},
                   {"limit", row.aim->limit},
                   {"met", Met(row)}};
  }
  return json;
}

bool Write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  return file.good();
}

}  // namespace

double LoadAverage() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : 0;
}

// Round by round, since what else the machine does comes and goes in seconds: it slows down a
// subject and the floor of the same round alike, and the ratio hardly shows it. The ratio of two
// medians may be of one that fell into a quiet round and one that fell into a busy one. What
// disturbs a single turn within a round makes an outlier, which the median leaves out.
Row RowOfRounds(std::string section, std::string quantity, std::string subject, std::string unit,
                const std::vector<double>& values, const std::vector<double>& base) {
  Row row = {.section = std::move(section),
             .quantity = std::move(quantity),
             .subject = std::move(subject),
             .value = Median(values),
             .unit = std::move(unit),
             .value_spread = SpreadOf(values)};
  if (base.empty()) return row;
  const std::vector<double> ratios = Ratios(values, base);
  row.ratio = Median(ratios);
  row.ratio_spread = SpreadOf(ratios);
  return row;
}

int DigitsOf(double ratio) {
  if (std::abs(ratio) < 0.1) return 4;
  return std::abs(ratio) < 100 ? 2 : 1;
}

void Report::Add(Row row) { rows_.push_back(std::move(row)); }

void Report::Note(const std::string& note) {
  if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) notes_.push_back(note);
}

std::string Report::Machine() const {
  char text[128];
  std::snprintf(text, sizeof(text), "%u cores; load average %.1f before the run, %.1f after it",
                std::thread::hardware_concurrency(), load_before_, LoadAverage());
  return text;
}

void Report::Print() const {
  std::printf("%s\n", Machine().c_str());
  std::string section;
  for (const Row& row : rows_) {
    if (row.section != section) {
      section = row.section;
      std::printf("\n%-33s %-26s %12s %-8s %-19s %6s %-13s  %s\n", section.c_str(), "", "", "",
                  "middle half", "ratio", "middle half", "aim");
    }
    char ratio[16] = "";
    const int digits = DigitsOf(row.ratio);
    if (row.ratio != 0) std::snprintf(ratio, sizeof(ratio), "%.*f", digits, row.ratio);
    std::printf("  %-31s %-26s %12.1f %-8s %-19s %6s %-13s  %s\n", row.quantity.c_str(),
                row.subject.c_str(), row.value, row.unit.c_str(),
                SpreadText(row.value_spread, 1).c_str(), ratio,
                SpreadText(row.ratio_spread, digits).c_str(), AimText(row).c_str());
  }
  for (const std::string& note : notes_) std::printf("\n%s\n", note.c_str());
  std::fflush(stdout);
}

bool Report::WriteJson(const std::string& path) const {
  nlohmann::json json = {{"cores", std::thread::hardware_concurrency()},
                         {"load_before", load_before_},
                         {"load_after", LoadAverage()},
                         {"notes", notes_},
                         {"rows", nlohmann::json::array()}};
  for (const Row& row : rows_) json["rows"].push_back(ToJson(row));
  return Write(path, json.dump(2) + "\n");
}

bool Report::WriteSvg(const std::string& path) const {
  return Write(path, DrawChart(Machine(), rows_));
}

}  // namespace wormhole::bench
