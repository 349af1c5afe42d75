#include "client/cli/line_editor.h"

#include <random>
#include <string>

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
  EXPECT_EQ(Type(editor, "\xc3"), Outcome::kRefused);
  EXPECT_EQ(Type(editor, ";"), Outcome::kRefused);
  EXPECT_EQ(editor.text(), "4-able");
}

TEST(LineEditorTest, AnyKeys) {
  std::mt19937 random(1);
  LineEditor editor;
  for (int round = 0; round < 200000; ++round) {
    editor.Feed(static_cast<char>(random() % 4 == 0 ? '\t' : random()));
    EXPECT_LE(editor.text().size(), 200u);
    EXPECT_EQ(editor.text().find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz-"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace wormhole::cli
