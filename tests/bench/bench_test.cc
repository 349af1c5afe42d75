// The quick form of the benchmark: every section gives its numbers. How fast things are is not
// judged here.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/child_process.h"

namespace wormhole::bench {
namespace {

using ::testing::HasSubstr;
using wormhole::testing::ChildProcess;

std::string BenchPath() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "bench";
}

TEST(BenchTest, EverySectionGivesNumbers) {
  const std::string file = ::testing::TempDir() + "/bench.json";
  ChildProcess bench({.arguments = {BenchPath(), "--quick", "--json=" + file}});
  // On a busy machine each section may take some time.
  for (const char* section : {"idle", "metrics", "connections", "memory", "exchanges",
                              "claim_to_data", "group", "reattach", "drain", "allocation"}) {
    EXPECT_TRUE(bench.WaitFor(ChildProcess::kErr, std::string("measuring ") + section));
  }
  ASSERT_EQ(bench.WaitForExit(), 0) << bench.err();
  EXPECT_THAT(bench.out(), HasSubstr("claim to data"));

  std::ifstream stream(file);
  const nlohmann::json json = nlohmann::json::parse(stream, nullptr, false);
  ASSERT_TRUE(json.is_object());
  std::map<std::string, int> rows;
  for (const auto& row : json["rows"]) {
    const std::string section = row["section"];
    ++rows[section];
    if (row["quantity"] == "failed") {
      EXPECT_EQ(row["value"], 0) << row;
    } else if (section != "memory per waiting side" &&  // a page or two may be there already
               row["quantity"] != "added by it") {      // a difference, of a few runs here
      EXPECT_GT(row["value"], 0) << row;
    }
  }
  const std::map<std::string, int> expected = {{"round trip, 256 B", 8},
                                               {"round trip after an idle second", 16},
                                               {"server CPU per message", 6},
                                               {"messages, 16 pairs at once", 3},
                                               {"metrics", 6},
                                               {"connections, 8 at once", 6},
                                               {"memory per waiting side", 6},
                                               {"exchanges, 16 at once", 20},
                                               {"claim to data", 5},
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

TEST(BenchTest, AnUnknownSectionIsAUsageError) {
  ChildProcess bench({.arguments = {BenchPath(), "--sections=speed"}});
  EXPECT_EQ(bench.WaitForExit(), 2);
  EXPECT_THAT(bench.err(), HasSubstr("--sections"));
}

}  // namespace
}  // namespace wormhole::bench
