#include "client/cli/line_editor.h"

#include <random>
#include <string>

#include "client/core/code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

using Outcome = LineEditor::Outcome;
using ::testing::ElementsAre;

Outcome Type(LineEditor& editor, std::string_view keys) {
  Outcome outcome = Outcome::kNothing;
  for (char key : keys) outcome = editor.Feed(key);
  return outcome;
}

TEST(LineEditorTest, TypingWithCompletion) {
  LineEditor editor;
  EXPECT_EQ(Type(editor, "4\tsaus\tZoo"), Outcome::kChanged);
  EXPECT_EQ(editor.text(), "4-sausage-zoo");
  EXPECT_EQ(editor.Feed('\r'), Outcome::kAccepted);
}

TEST(LineEditorTest, SpacesAreHyphensAndCapitalsAreFolded) {
  LineEditor editor;
  Type(editor, "4 Able ZOO");
  EXPECT_EQ(editor.text(), "4-able-zoo");
}

TEST(LineEditorTest, SeparatorsTooManyAreNotShown) {
  LineEditor editor;
  Type(editor, " -4\t- saus\t- zoo  ");
  EXPECT_EQ(editor.text(), "4-sausage-zoo-");
  EXPECT_EQ(editor.Feed(' '), Outcome::kNothing);
}

TEST(LineEditorTest, WhatIsPastedStaysForTheParser) {
  LineEditor editor;
  EXPECT_EQ(Type(editor, "Invitation code: \u201c4\u2011able"), Outcome::kChanged);
  EXPECT_EQ(editor.text(), "invitation-code: \u201c4\u2011able");
  EXPECT_EQ(Type(editor, "-zo\t"), Outcome::kCandidates);
  EXPECT_EQ(editor.text(), "4-able-zo");
  Type(editor, "\x15\u201c\u00e9\x7f");
  EXPECT_EQ(editor.text(), "\u201c");
  EXPECT_EQ(Type(editor, "\xff\t"), Outcome::kRefused);
}

TEST(LineEditorTest, Deleting) {
  LineEditor editor;
  EXPECT_EQ(editor.Feed('\x7f'), Outcome::kRefused);
  Type(editor, "4-able-zoo\x7f\b");
  EXPECT_EQ(editor.text(), "4-able-z");
  Type(editor, "\x17");
  EXPECT_EQ(editor.text(), "4-able");
  Type(editor, "\x17\x17\x17");
  EXPECT_EQ(editor.text(), "");
  Type(editor, "4-able\x15");
  EXPECT_EQ(editor.text(), "");
}

TEST(LineEditorTest, Candidates) {
  LineEditor editor;
  EXPECT_EQ(Type(editor, "4-zo\t"), Outcome::kCandidates);
  EXPECT_THAT(editor.candidates(), ElementsAre("zone", "zoo"));
  EXPECT_EQ(Type(editor, "x\t"), Outcome::kRefused);
}

TEST(LineEditorTest, EndsOnlyWhenEmpty) {
  LineEditor editor;
  EXPECT_EQ(Type(editor, "4\x04"), Outcome::kRefused);
  EXPECT_EQ(Type(editor, "\x7f\x04"), Outcome::kEnded);
}

TEST(LineEditorTest, ArrowKeysAndOddBytesLeaveTheTextAlone) {
  LineEditor editor;
  Type(editor, "4-able\x1b[A\x1b[3~\x1bOP\x1b[1;5D\x1bx");
  EXPECT_EQ(editor.text(), "4-able");
  EXPECT_EQ(Type(editor, "\x01"), Outcome::kRefused);
  EXPECT_EQ(editor.text(), "4-able");
}

// What the editor leaves out is what the parser would.
TEST(LineEditorTest, TheCodeIsThatOfAllThatWasTyped) {
  const std::string pieces[] = {"4",    "0",      "able",   "zoo",    "-",      " ",
                                "Able", "\u201c", "\u2013", "\u00a0", "code: ", "."};
  std::mt19937 random(2);
  int codes = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string typed = random() % 2 == 0 ? "4-" : "";
    for (size_t n = random() % 9; n > 0; --n) typed += pieces[random() % std::size(pieces)];
    LineEditor editor;
    Type(editor, typed);
    const absl::StatusOr<core::Code> whole = core::ParseCode(typed, true);
    const absl::StatusOr<core::Code> shown = core::ParseCode(editor.text(), true);
    ASSERT_EQ(whole.ok(), shown.ok()) << typed << " | " << editor.text();
    if (!whole.ok()) continue;
    ++codes;
    EXPECT_EQ(whole->ToString(), shown->ToString()) << typed;
  }
  EXPECT_GT(codes, 200);
}

TEST(LineEditorTest, AnyKeys) {
  std::mt19937 random(1);
  LineEditor editor;
  for (int round = 0; round < 200000; ++round) {
    editor.Feed(static_cast<char>(random() % 4 == 0 ? '\t' : random()));
    EXPECT_LE(editor.text().size(), 2000u);
    for (char c : editor.text()) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
  }
}

}  // namespace
}  // namespace wormhole::cli
