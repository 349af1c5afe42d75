// The quick form of the benchmark: every section gives its numbers. How fast things are is not
// judged here.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/bench/chart.h"
#include "tests/bench/report.h"
#include "tests/bench/statistics.h"
#include "tests/support/child_process.h"

namespace wormhole::bench {
namespace {

using ::testing::Contains;
using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using wormhole::testing::ChildProcess;

std::string BenchPath() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "bench";
}

nlohmann::json ReadJson(const std::string& file) {
  std::ifstream stream(file);
  return nlohmann::json::parse(stream, nullptr, false);
}

// What stands in the elements named `text` of an SVG file; nothing when it is not well-formed XML.
std::vector<std::string> TextsOfSvg(const std::string& file) {
  constexpr char kScript[] =
      "import json, sys, xml.etree.ElementTree as tree\n"
      "svg = '{http://www.w3.org/2000/svg}'\n"
      "root = tree.parse(sys.argv[1]).getroot()\n"
      "assert root.tag == svg + 'svg', root.tag\n"
      "names = {element.tag.removeprefix(svg) for element in root.iter()}\n"
      "assert names <= {'svg', 'title', 'text', 'rect', 'path'}, names\n"
      "print(json.dumps([element.text for element in root.iter(svg + 'text')]))\n";
  ChildProcess python({.arguments = {"/usr/bin/python3", "-c", kScript, file}});
  EXPECT_EQ(python.WaitForExit(), 0) << python.err();
  const nlohmann::json texts = nlohmann::json::parse(python.out(), nullptr, false);
  return texts.is_array() ? texts.get<std::vector<std::string>>() : std::vector<std::string>();
}

// Of what not every machine counts or has, the report says that it is not there.
bool Missing(const nlohmann::json& json, const std::string& what) {
  for (const auto& note : json["notes"]) {
    if (note.get<std::string>().find(what) != std::string::npos) return true;
  }
  return false;
}

void CheckSpread(const nlohmann::json& row, const char* of, const char* spread) {
  ASSERT_TRUE(row.contains(spread)) << row;
  EXPECT_LE(row[spread]["lower_quartile"], row[of]) << row;
  EXPECT_GE(row[spread]["upper_quartile"], row[of]) << row;
}

TEST(BenchTest, EverySectionGivesNumbers) {
  const std::string file = ::testing::TempDir() + "/bench.json";
  const std::string svg = ::testing::TempDir() + "/bench.svg";
  ChildProcess bench({.arguments = {BenchPath(), "--quick", "--json=" + file, "--svg=" + svg}});
  // On a busy machine each section may take some time.
  for (const char* section : {"idle", "metrics", "connections", "memory", "exchanges",
                              "claim_to_data", "group", "reattach", "drain", "allocation"}) {
    EXPECT_TRUE(bench.WaitFor(ChildProcess::kErr, std::string("measuring ") + section));
  }
  ASSERT_EQ(bench.WaitForExit(), 0) << bench.err();
  EXPECT_THAT(bench.out(), HasSubstr("claim to data"));

  const nlohmann::json json = ReadJson(file);
  ASSERT_TRUE(json.is_object());
  std::map<std::string, int> rows;
  const std::vector<std::string> texts = TextsOfSvg(svg);
  for (const auto& row : json["rows"]) {
    const std::string section = row["section"];
    ++rows[section];
    if (row["quantity"] == "failed") {
      EXPECT_EQ(row["value"], 0) << row;
    } else if (section != "memory per waiting side" &&  // a page or two may be there already
               row["quantity"] != "added by it") {      // a difference, of a few runs here
      EXPECT_GT(row["value"], 0) << row;
    }
    if (row.value("ratio", 0.0) > 0) {
      EXPECT_THAT(texts, Contains(row["subject"].get<std::string>()));
    }
  }
  // Beside the floor: two relays by the raw client, two by the library, and two mailbox servers.
  const int subjects = Missing(json, "magic-wormhole") ? 5 : 7;
  const int exchanges =
      subjects * (5 + !Missing(json, "instructions") + !Missing(json, "system calls")) +
      2 * (subjects - 2);  // messages, which the library does not count
  const std::map<std::string, int> expected = {{"round trip, 256 B", 8},
                                               {"round trip after an idle second", 16},
                                               {"server CPU per message", 6},
                                               {"messages, 16 pairs at once", 3},
                                               {"metrics", 6},
                                               {"connections, 8 at once", 6},
                                               {"memory per waiting side", 6},
                                               {"exchanges, 16 at once", exchanges},
                                               {"claim to data", subjects},
                                               {"group, 16 at once", 19},
                                               {"group, 64 at once", 19},
                                               {"group, one at a time", 7},
                                               {"group, round trip of 256 B", 6},
                                               {"attached again after kill -9", 8},
                                               {"drain, 20 sides", 5},
                                               {"allocation, time", 5},
                                               {"allocation, CPU", 5}};
  EXPECT_EQ(rows, expected);
}

TEST(BenchTest, ExchangesAreShownWithTheirSpreadAndTheirMessages) {
  const std::string file = ::testing::TempDir() + "/exchanges.json";
  ChildProcess bench({.arguments = {BenchPath(), "--quick", "--sections=exchanges,claim_to_data",
                                    "--only=raw", "--json=" + file}});
  ASSERT_EQ(bench.WaitForExit(), 0) << bench.err();
  EXPECT_THAT(bench.out(), HasSubstr("middle half"));
  const nlohmann::json json = ReadJson(file);
  std::set<std::string> quantities;
  std::map<std::string, double> requests;
  for (const auto& row : json["rows"]) {
    quantities.insert(row["quantity"]);
    if (row["quantity"] == "requests per exchange") requests[row["subject"]] = row["value"];
    if (row["quantity"] == "failed") continue;
    CheckSpread(row, "value", "value_spread");
    CheckSpread(row, "ratio", "ratio_spread");
  }
  EXPECT_THAT(quantities, Contains("context switches per exchange"));
  EXPECT_THAT(quantities, Contains("responses per exchange"));
  // Open, three posts or two, an acknowledgement, Close.
  EXPECT_THAT(requests["floor, raw"], DoubleEq(11));
  EXPECT_THAT(requests["relay, memory, raw"], DoubleEq(11));
}

TEST(BenchTest, AnUnknownSectionIsAUsageError) {
  ChildProcess bench({.arguments = {BenchPath(), "--sections=speed"}});
  EXPECT_EQ(bench.WaitForExit(), 2);
  EXPECT_THAT(bench.err(), HasSubstr("--sections"));
}

TEST(StatisticsTest, QuartilesLieBetweenTheValues) {
  EXPECT_EQ(Median({}), 0);
  EXPECT_EQ(Percentile({7}, 0.25), 7);
  EXPECT_EQ(Percentile({7}, 0.75), 7);
  EXPECT_EQ(Percentile({5, 1, 4, 2, 3}, 0.25), 2);
  EXPECT_EQ(Median({5, 1, 4, 2, 3}), 3);
  EXPECT_EQ(Percentile({5, 1, 4, 2, 3}, 0.75), 4);
  EXPECT_EQ(Percentile({4, 1, 3, 2}, 0.25), 1.75);
  EXPECT_EQ(Median({4, 1, 3, 2}), 2.5);
  EXPECT_EQ(Percentile({4, 1, 3, 2}, 0.75), 3.25);
  EXPECT_EQ(Percentile({4, 1, 3, 2}, 0), 1);
  EXPECT_EQ(Percentile({4, 1, 3, 2}, 1), 4);
}

TEST(StatisticsTest, RatiosAreOfTheSameRound) {
  // The third round was slow for both, which the ratio of the medians would not know.
  EXPECT_THAT(Ratios({20, 22, 60, 24}, {10, 11, 30, 0}), ElementsAre(2, 2, 2));
  const Row row = RowOfRounds("section", "quantity", "subject", "us", {20, 60, 24}, {10, 30, 8});
  EXPECT_EQ(row.value, 24);
  EXPECT_EQ(row.ratio, 2);
  ASSERT_TRUE(row.value_spread && row.ratio_spread);
  EXPECT_EQ(row.value_spread->lower, 22);
  EXPECT_EQ(row.value_spread->upper, 42);
  EXPECT_EQ(row.ratio_spread->upper, 2.5);
}

TEST(StatisticsTest, OneRoundHasNoSpreadAndWithoutABaseThereIsNoRatio) {
  const Row row = RowOfRounds("section", "quantity", "subject", "us", {20}, {});
  EXPECT_EQ(row.value, 20);
  EXPECT_EQ(row.ratio, 0);
  EXPECT_FALSE(row.value_spread || row.ratio_spread);
}

TEST(ChartTest, TextIsEscapedAndRowsWithoutARatioAreLeftOut) {
  const std::string file = ::testing::TempDir() + "/chart.svg";
  const std::string name = "</text><script>&amp; \"1\"";
  std::ofstream(file) << DrawChart(
      "a < b", {RowOfRounds("section", "rate", name, "per s", {1, 2, 3}, {30, 20, 10}),
                RowOfRounds("section", "rate", "no ratio", "per s", {1, 2, 3}, {})});
  const std::vector<std::string> texts = TextsOfSvg(file);
  EXPECT_THAT(texts, Contains(name));
  EXPECT_THAT(texts, Contains("section: rate, per s"));
  EXPECT_THAT(texts, Contains("0.10 (0.07-0.20)"));
  EXPECT_THAT(texts, Contains("a < b"));
  EXPECT_THAT(texts, ::testing::Not(Contains("no ratio")));
}

TEST(ChartTest, AChartOfNothingIsWellFormed) {
  const std::string file = ::testing::TempDir() + "/empty.svg";
  std::ofstream(file) << DrawChart("nothing", {});
  EXPECT_THAT(TextsOfSvg(file), ::testing::Not(IsEmpty()));
}

}  // namespace
}  // namespace wormhole::bench
