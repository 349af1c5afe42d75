// The alert rules by themselves: what promtool says of them, and that each is tested and explained.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/observability/promql.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_folder.h"

namespace wormhole::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kFolder[] = "deploy/observability/";

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Whether all is well, and what it printed.
struct Verdict {
  bool well = false;
  std::string text;
};

Verdict Promtool(const std::vector<std::string>& words, const std::string& path) {
  std::vector<std::string> arguments = {"/usr/bin/promtool"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  arguments.push_back(path);
  ChildProcess promtool({.arguments = std::move(arguments)});
  const bool well = promtool.WaitForExit() == 0;
  return {well, promtool.out() + promtool.err()};
}

void ExpectPromtoolAgrees(const std::vector<std::string>& words, const std::string& file) {
  const Verdict verdict = Promtool(words, kFolder + file);
  EXPECT_TRUE(verdict.well) << verdict.text;
}

// Each rule's lines, from `alert:` on.
std::vector<std::string> Rules() {
  const std::string text = Read(std::string(kFolder) + "alerts.yml");
  std::vector<std::string> rules;
  for (size_t at = text.find("- alert: "), next; at != std::string::npos; at = next) {
    next = text.find("- alert: ", at + 1);
    rules.push_back(text.substr(at, next - at));
  }
  return rules;
}

std::string NameOf(const std::string& rule) {
  return rule.substr(9, rule.find('\n') - 9);  // "- alert: "
}

// Its expression, on one line: what stands after `expr:` and in the lines that are further in.
std::string ExpressionOf(const std::string& rule) {
  static const std::regex pattern("\n( *)expr: (?:>-)?([^\n]*(?:\n\\1  [^\n]*)*)");
  std::smatch match;
  EXPECT_TRUE(std::regex_search(rule, match, pattern)) << rule;
  return std::regex_replace(match[2].str(), std::regex("\\s+"), " ");
}

// What in `expression` might mix or mistake the series of two releases: nothing, in a good one.
std::vector<std::string> WhatMixesReleases(const std::string& expression) {
  PromqlParts parts = ReadPromql(expression);
  std::vector<std::string> found = std::move(parts.unnamed_groupings);
  for (const std::string& selector : parts.selectors) {
    static const std::regex names_the_job("[\\w:]+\\{job=\"wormhole-relay\"[,}].*");
    if (!std::regex_match(selector, names_the_job)) found.push_back(selector);
  }
  for (const std::string& grouping : parts.groupings) {
    if (!grouping.starts_with("(job,namespace")) found.push_back(grouping);
  }
  return found;
}

// The anchors of a page's headings.
std::vector<std::string> Anchors(const std::string& page) {
  std::vector<std::string> anchors;
  static const std::regex heading("(?:^|\n)#+ ([^\n]*)");
  for (std::sregex_iterator at(page.begin(), page.end(), heading), end; at != end; ++at) {
    std::string anchor = (*at)[1];
    std::erase_if(anchor, [](unsigned char c) { return !std::isalnum(c) && c != ' ' && c != '-'; });
    std::transform(anchor.begin(), anchor.end(), anchor.begin(),
                   [](unsigned char c) { return c == ' ' ? '-' : std::tolower(c); });
    anchors.push_back(anchor);
  }
  return anchors;
}

TEST(AlertsTest, PromtoolChecks) {
  ExpectPromtoolAgrees({"check", "rules"}, "alerts.yml");
  ExpectPromtoolAgrees({"check", "config"}, "prometheus.yml");
}

TEST(AlertsTest, PromtoolTests) {
  for (const char* file : {"alerts_test.yml", "store_away_test.yml"}) {
    ExpectPromtoolAgrees({"test", "rules"}, file);
  }
}

TEST(AlertsTest, EverySelectorNamesTheJobAndEveryGroupingKeepsIt) {
  for (const std::string& rule : Rules()) {
    const std::string expression = ExpressionOf(rule);
    EXPECT_THAT(ReadPromql(expression).selectors, Not(IsEmpty())) << rule;
    EXPECT_THAT(WhatMixesReleases(expression), IsEmpty()) << NameOf(rule);
  }
}

TEST(AlertsTest, WhatMixesReleasesIsFound) {
  EXPECT_THAT(WhatMixesReleases(R"(up{job="wormhole-relay"} == 0 or wormhole_streams > 1)"),
              ElementsAre("wormhole_streams"));
  EXPECT_THAT(WhatMixesReleases(R"(rate(a{x="job"}[5m]) > b{job=~"wormhole-relay"})"),
              ElementsAre(R"(a{x="job"})", R"(b{job=~"wormhole-relay"})"));
  EXPECT_THAT(WhatMixesReleases(R"(a{job="wormhole-relay-2"})"), SizeIs(1));
  EXPECT_THAT(WhatMixesReleases(R"(sum(a{job="wormhole-relay"}))"), ElementsAre("sum"));
  EXPECT_THAT(WhatMixesReleases(R"(sum by (job) (a{job="wormhole-relay"}))"), ElementsAre("(job)"));
}

// The rules of one release, in `folder` as one.yml and two.yml: those of alerts.yml, with one
// replacement as its head says, and a label that tells whose rules they are.
void WriteReleases(const std::string& rules, const TempFolder& folder) {
  for (const std::string release : {"one", "two"}) {
    const std::string scoped = Replaced(rules, R"(job="wormhole-relay")",
                                        R"(job="relay-metrics",namespace=")" + release + R"(")");
    std::ofstream(folder.File(release + ".yml"))
        << Replaced(scoped, "labels:\n", "labels:\n          rules: " + release + "\n");
  }
  std::filesystem::copy_file(std::string(kFolder) + "two_releases_test.yml",
                             folder.File("test.yml"));
}

TEST(AlertsTest, OfTwoReleasesEachHasItsOwn) {
  const TempFolder folder;
  WriteReleases(Read(std::string(kFolder) + "alerts.yml"), folder);
  const Verdict verdict = Promtool({"test", "rules"}, folder.File("test.yml"));
  EXPECT_TRUE(verdict.well) << verdict.text;
}

// The planted mistakes: a selector that looks at every release, and an alert that is lost when the
// other release has a relay.
TEST(AlertsTest, ARuleThatLooksAtTheOtherReleaseIsFound) {
  const std::string rules = Read(std::string(kFolder) + "alerts.yml");
  for (const auto& [from, to] :
       {std::pair(R"(wormhole_store_up{job="wormhole-relay"})", "wormhole_store_up"),
        std::pair(R"(absent(up{job="wormhole-relay"}))", "absent(up)")}) {
    const TempFolder folder;
    const std::string worse = Replaced(rules, from, to);
    ASSERT_NE(worse, rules);
    WriteReleases(worse, folder);
    const Verdict verdict = Promtool({"test", "rules"}, folder.File("test.yml"));
    EXPECT_FALSE(verdict.well);
    EXPECT_THAT(verdict.text, HasSubstr("FAILED"));
  }
}

TEST(AlertsTest, EachIsTestedAndSaysWhatToDo) {
  const std::string tests = Read(std::string(kFolder) + "alerts_test.yml");
  const std::vector<std::string> anchors = Anchors(Read("deploy/README.md"));
  const std::vector<std::string> rules = Rules();
  EXPECT_GE(rules.size(), 20u);
  for (const std::string& rule : rules) {
    SCOPED_TRACE(NameOf(rule));
    EXPECT_THAT(tests, HasSubstr("alertname=\"" + NameOf(rule) + "\""));
    EXPECT_TRUE(std::regex_search(rule, std::regex("severity: (critical|warning)\n")));
    EXPECT_THAT(rule, HasSubstr("summary: "));
    EXPECT_THAT(rule, HasSubstr("description: "));
    std::smatch runbook;
    ASSERT_TRUE(std::regex_search(rule, runbook, std::regex("runbook: deploy/README.md#(\\S+)\n")));
    EXPECT_THAT(anchors, ::testing::Contains(runbook[1].str()));
  }
}

}  // namespace
}  // namespace wormhole::testing
