#include "proto/page/tables.h"

#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"

namespace wormhole::page {
namespace {

// The cells of "| a | b |"; no cell of the page holds a bar.
Row CellsOf(absl::string_view line) {
  absl::ConsumePrefix(&line, "|");
  absl::ConsumeSuffix(&line, "|");
  Row cells;
  for (absl::string_view cell : absl::StrSplit(line, '|')) {
    cells.emplace_back(absl::StripAsciiWhitespace(cell));
  }
  return cells;
}

}  // namespace

std::vector<Row> TableWith(std::string_view header) {
  const absl::string_view name(header.data(), header.size());
  const std::string wanted = absl::StrCat("| ", name, " |");
  const size_t columns = CellsOf(wanted).size();
  std::ifstream page("proto/PROTOCOL.md");
  std::vector<Row> rows;
  int found = 0;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line == wanted) {
      ++found;
      std::getline(page, line);  // | --- | --- |
      inside = true;
    } else if (inside && !line.empty() && line[0] == '|') {
      rows.push_back(CellsOf(line));
      EXPECT_EQ(rows.back().size(), columns) << line;
    } else {
      inside = false;
    }
  }
  EXPECT_EQ(found, 1) << "tables of PROTOCOL.md with the header " << name;
  if (testing::Test::HasFailure()) return {};
  return rows;
}

std::vector<Cell> StateTableWith(std::string_view header, const std::set<std::string>& events) {
  const Row states = CellsOf(absl::string_view(header.data(), header.size()));
  std::set<std::string> left = events;
  std::vector<Cell> cells;
  for (const Row& row : TableWith(header)) {
    EXPECT_EQ(left.erase(row[0]), 1u) << "twice, or none that the test knows: " << row[0];
    for (size_t i = 1; i < row.size(); ++i) {
      if (row[i] != "-") cells.push_back({row[0], states[i], row[i]});
    }
  }
  for (const std::string& event : left) ADD_FAILURE() << "not on the page: " << event;
  if (testing::Test::HasFailure()) return {};
  return cells;
}

}  // namespace wormhole::page
