#include "client/cli/rows.h"

#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Rows(std::string_view text, size_t columns) {
  return absl::StrSplit(InRows(text, "us: ", " | ", columns), '\n');
}

TEST(RowsTest, BreaksAtSpaces) {
  EXPECT_THAT(Rows("one two three", 40), ElementsAre("us: one two three"));
  EXPECT_THAT(Rows("one two three", 12), ElementsAre("us: one two", " | three"));
  EXPECT_THAT(Rows("", 12), ElementsAre("us: "));
}

TEST(RowsTest, WhatHasNoSpacesIsBrokenToo) {
  EXPECT_THAT(Rows("aaaaaaaaaaaaaaaaaaa", 12),
              ElementsAre("us: aaaaaaaa", " | aaaaaaaaa", " | aa"));
  EXPECT_THAT(Rows("\u6f22\u6f22\u6f22", 9), ElementsAre("us: \u6f22\u6f22", " | \u6f22"));
}

TEST(RowsTest, NoTextMakesARowThatBeginsOtherwise) {
  std::mt19937 random(1);
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (size_t n = random() % 60; n > 0; --n) {
      const char* const pieces[] = {" ", "      ", "us: ", "x", "\u6f22", "wormhole-sync: done"};
      text += pieces[random() % std::size(pieces)];
    }
    const size_t columns = 8 + random() % 100;
    const std::vector<std::string> rows = Rows(text, columns);
    for (size_t i = 0; i < rows.size(); ++i) {
      EXPECT_TRUE(absl::StartsWith(rows[i], i == 0 ? "us: " : " | ")) << rows[i];
      EXPECT_EQ(FittingBytes(rows[i], columns), rows[i].size()) << rows[i];
    }
  }
}

TEST(RowsTest, TheBeginningAndTheEndThatFit) {
  EXPECT_EQ(FittingBytes("abc", 2), 2u);
  EXPECT_EQ(FittingBytes("a\u6f22c", 2), 1u);
  EXPECT_EQ(FittingTail("abc", 2), 1u);
  EXPECT_EQ(FittingTail("a\u6f22c", 2), 4u);
  EXPECT_EQ(FittingTail("a\u6f22c", 3), 1u);
  EXPECT_EQ(FittingTail("abc", 9), 0u);
}

}  // namespace
}  // namespace wormhole::cli
