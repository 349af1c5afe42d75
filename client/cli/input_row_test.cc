#include "client/cli/input_row.h"

#include <string>

#include "client/cli/rows.h"
#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

TEST(InputRowTest, TheQuestionAndWhatWasTyped) {
  EXPECT_EQ(InputRow("4-able", 79, Charset::kUtf8),
            "Code of the other side (Tab completes words): 4-able");
  EXPECT_EQ(InputRow("4-able", 39, Charset::kUtf8), "Code: 4-able");
}

TEST(InputRowTest, ItNeverHasMoreThanTheColumns) {
  std::string typed;
  for (int size = 0; size < 300; ++size) {
    typed += size % 7 == 0 ? "\u6f22" : size % 11 == 0 ? "\x1b" : "x";
    for (const Charset charset : {Charset::kAscii, Charset::kUtf8}) {
      for (size_t columns = 8; columns < 200; columns += 13) {
        const std::string row = InputRow(typed, columns, charset);
        EXPECT_EQ(FittingBytes(row, columns), row.size()) << row;
      }
      InputRow(typed, 0, charset);
    }
  }
}

TEST(InputRowTest, TheEndOfALongTextIsShown) {
  EXPECT_EQ(InputRow(std::string(50, 'a') + "end", 20, Charset::kUtf8), "Code: <aaaaaaaaaaend");
}

TEST(InputRowTest, ForeignBytesAreHarmless) {
  EXPECT_EQ(InputRow("\u00e9\x1b[2J\xff", 79, Charset::kAscii),
            "Code of the other side (Tab completes words): \\u{e9}\\x1b[2J\\xff");
}

}  // namespace
}  // namespace wormhole::cli
