#include "client/cli/escape_for_terminal.h"

#include <random>
#include <string>

#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

std::string EscapeForTerminal(std::string_view bytes, Lines lines) {
  return cli::EscapeForTerminal(bytes, lines, Charset::kUtf8);
}

TEST(EscapeForTerminalTest, PlainTextStaysAsItIs) {
  for (const char* text : {"", "hello\n", "tab\there", "Grüße, 漢字, 😀, e\u0301", "C:\\path"}) {
    EXPECT_EQ(EscapeForTerminal(text, Lines::kKeep), text);
  }
}

TEST(EscapeForTerminalTest, OneLineOnly) {
  EXPECT_EQ(EscapeForTerminal("a\nb\tc", Lines::kEscape), "a\\nb\\tc");
}

TEST(EscapeForTerminalTest, EscapesAndControls) {
  EXPECT_EQ(EscapeForTerminal("\x1b[31mred\x1b]0;title\a", Lines::kKeep),
            "\\x1b[31mred\\x1b]0;title\\x07");
  EXPECT_EQ(EscapeForTerminal("over\rwritten\b\x7f", Lines::kKeep), "over\\x0dwritten\\x08\\x7f");
  EXPECT_EQ(EscapeForTerminal(std::string_view("\0\v\f\x0e", 4), Lines::kKeep),
            "\\x00\\x0b\\x0c\\x0e");
  EXPECT_EQ(EscapeForTerminal("\u009b31m\u0085", Lines::kKeep), "\\u{9b}31m\\u{85}");
}

TEST(EscapeForTerminalTest, InvalidUtf8) {
  EXPECT_EQ(EscapeForTerminal("\x9b\xff", Lines::kKeep), "\\x9b\\xff");
  EXPECT_EQ(EscapeForTerminal("\xc0\x9b", Lines::kKeep), "\\xc0\\x9b");           // overlong
  EXPECT_EQ(EscapeForTerminal("\xe0\x80\x9b", Lines::kKeep), "\\xe0\\x80\\x9b");  // overlong
  EXPECT_EQ(EscapeForTerminal("\xed\xa0\x80", Lines::kKeep), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(EscapeForTerminal("\xf4\x90\x80\x80", Lines::kKeep),
            "\\xf4\\x90\\x80\\x80");                                     // too high
  EXPECT_EQ(EscapeForTerminal("\xe6\xbc", Lines::kKeep), "\\xe6\\xbc");  // cut short
  EXPECT_EQ(EscapeForTerminal("\xe6\x1b[m", Lines::kKeep), "\\xe6\\x1b[m");
}

TEST(EscapeForTerminalTest, ReorderingAndHiddenCharacters) {
  EXPECT_EQ(EscapeForTerminal("\u202egpj.exe\u2066\u200f\u061c", Lines::kKeep),
            "\\u{202e}gpj.exe\\u{2066}\\u{200f}\\u{61c}");
  EXPECT_EQ(EscapeForTerminal("a\u200bb\ufeffc\u00add", Lines::kKeep),
            "a\\u{200b}b\\u{feff}c\\u{ad}d");
  EXPECT_EQ(EscapeForTerminal("\u2028\u2029", Lines::kKeep), "\\u{2028}\\u{2029}");
  EXPECT_EQ(EscapeForTerminal("\U000e0041\ufe0f\ue000\U0001fffe", Lines::kKeep),
            "\\u{e0041}\\u{fe0f}\\u{e000}\\u{1fffe}");
}

// c3 9b is a letter in UTF-8, and for others a letter and the beginning of an escape sequence.
TEST(EscapeForTerminalTest, OnlyUtf8TerminalsGetMoreThanAscii) {
  const std::string text = "\u00db31m, e\u0301, \u6f22, \U0001f600, \u202e, \x9b\n";
  EXPECT_EQ(cli::EscapeForTerminal(text, Lines::kKeep, Charset::kAscii),
            "\\u{db}31m, e\\u{301}, \\u{6f22}, \\u{1f600}, \\u{202e}, \\x9b\n");
  std::mt19937 random(2);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes;
    for (size_t n = random() % 64; n > 0; --n) bytes += static_cast<char>(random());
    const std::string shown = cli::EscapeForTerminal(bytes, Lines::kEscape, Charset::kAscii);
    for (char c : shown) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << int{c};
    EXPECT_LE(shown.size(), 6 * bytes.size());
  }
}

// Whatever comes in, no byte goes out that a terminal acts on.
TEST(EscapeForTerminalTest, AnyBytes) {
  std::mt19937 random(1);
  for (int round = 0; round < 5000; ++round) {
    std::string bytes;
    for (size_t n = random() % 64; n > 0; --n) bytes += static_cast<char>(random());
    const std::string shown = EscapeForTerminal(bytes, Lines::kEscape);
    EXPECT_LE(shown.size(), 6 * bytes.size());
    for (size_t i = 0; i < shown.size(); ++i) {
      const auto c = static_cast<unsigned char>(shown[i]);
      EXPECT_GE(c, 0x20);
      EXPECT_NE(c, 0x7f);
      // In the output a C1 control can only be c2 followed by 80 to 9f.
      if (c == 0xc2 && i + 1 < shown.size()) {
        EXPECT_GE(static_cast<unsigned char>(shown[i + 1]), 0xa0);
      }
    }
    EXPECT_EQ(EscapeForTerminal(shown, Lines::kEscape), shown);
  }
}

}  // namespace
}  // namespace wormhole::cli
