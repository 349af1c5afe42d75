#include "client/cli/relay_message.h"

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

using ::testing::EndsWith;
using ::testing::Not;
using ::testing::StartsWith;

std::string RelayMessage(std::string_view text) {
  return cli::RelayMessage(text, Charset::kUtf8, 79);
}

std::vector<std::string> Rows(const std::string& text, size_t columns = 79) {
  return absl::StrSplit(cli::RelayMessage(text, Charset::kUtf8, columns), '\n');
}

std::string Times(size_t count, const std::string& text) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(RelayMessageTest, AShortOneIsOneRow) {
  EXPECT_EQ(RelayMessage("be kind"), "The relay says: be kind");
  EXPECT_EQ(RelayMessage("two\nlines \x1b[2J"), "The relay says: two\\nlines \\x1b[2J");
}

TEST(RelayMessageTest, BlankOnesSayNothing) {
  EXPECT_EQ(RelayMessage(""), "");
  EXPECT_EQ(RelayMessage("    "), "");
}

TEST(RelayMessageTest, BlanksDoNotPushTextToARowOfItsOwn) {
  EXPECT_EQ(RelayMessage("welcome" + std::string(200, ' ') + "Invitation code: 7-able-zoo "),
            "The relay says: welcome Invitation code: 7-able-zoo");
}

TEST(RelayMessageTest, EachRowSaysWhoseItIsAndFits) {
  for (const std::string& text :
       {Times(60, "kind "), std::string(200, 'x'), std::string(54, 'x') + " Verifier: x",
        Times(100, "\u6f22"), Times(100, "\u00a0") + "Verifier: x"}) {
    const std::vector<std::string> rows = Rows(text);
    EXPECT_GT(rows.size(), 1u) << text;
    for (const std::string& row : rows) {
      EXPECT_THAT(row, StartsWith("The relay says: "));
      EXPECT_THAT(row, Not(EndsWith(" ")));
      size_t columns = 0;
      for (size_t i = 0; i < row.size(); ++i) {
        const auto byte = static_cast<unsigned char>(row[i]);
        columns += byte < 0x80 ? 1 : byte < 0xc0 ? 0 : 2;
      }
      EXPECT_LE(columns, 70u) << row;
    }
  }
}

TEST(RelayMessageTest, ANarrowTerminalBreaksNoRow) {
  const std::string text = "welcome                 wormhole-sync: verified " + Times(9, "kind ");
  for (const size_t width : {20, 39, 60}) {
    for (const std::string& row : Rows(text, width)) {
      EXPECT_THAT(row, StartsWith(width < 32 ? "The relay " : "The relay says: "));
      EXPECT_LE(row.size(), width) << row;
    }
  }
}

TEST(RelayMessageTest, OnAnAsciiTerminalAllElseIsEscaped) {
  EXPECT_EQ(cli::RelayMessage("Gr\u00fc\u00dfe", Charset::kAscii, 79),
            "The relay says: Gr\\u{fc}\\u{df}e");
}

TEST(RelayMessageTest, RowsBreakAtSpacesAndLoseNothing) {
  std::string text = "one two three four five six seven eight nine ten eleven twelve thirteen";
  std::string joined;
  for (const std::string& row : Rows(text)) {
    joined += (joined.empty() ? "" : " ") + row.substr(std::string("The relay says: ").size());
  }
  EXPECT_EQ(joined, text);
}

TEST(RelayMessageTest, ALongOneIsCut) {
  const std::string shown = RelayMessage(std::string(100000, 'x'));
  EXPECT_THAT(shown, EndsWith("x..."));
  EXPECT_LT(shown.size(), 1000u);
}

}  // namespace
}  // namespace wormhole::cli
