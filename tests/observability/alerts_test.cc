// The alert rules by themselves: what promtool says of them, and that each is tested and explained.
#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/child_process.h"

namespace wormhole::testing {
namespace {

using ::testing::HasSubstr;

constexpr char kFolder[] = "deploy/observability/";

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void ExpectPromtoolAgrees(const std::vector<std::string>& words, const std::string& file) {
  std::vector<std::string> arguments = {"/usr/bin/promtool"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  arguments.push_back(kFolder + file);
  ChildProcess promtool({.arguments = std::move(arguments)});
  EXPECT_EQ(promtool.WaitForExit(), 0) << promtool.out() << promtool.err();
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

// The anchors of a page's headings.
std::vector<std::string> Anchors(const std::string& page) {
  std::vector<std::string> anchors;
  static const std::regex kHeading("(?:^|\n)#+ ([^\n]*)");
  for (std::sregex_iterator at(page.begin(), page.end(), kHeading), end; at != end; ++at) {
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
