#include "client/core/code.h"

#include <algorithm>
#include <random>
#include <set>

#include "client/core/testing/seeded_random.h"
#include "gtest/gtest.h"

namespace wormhole::core {
namespace {

std::string Message(std::string_view text, bool allow_other_words = false) {
  const absl::StatusOr<Code> code = ParseCode(text, allow_other_words);
  EXPECT_EQ(code.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(code.status().message());
}

TEST(CodeTest, TheListIsSortedLowerCaseAndWhole) {
  for (size_t i = 0; i < kWordListSize; ++i) {
    const std::string_view word = Word(i);
    EXPECT_GE(word.size(), 3u);
    EXPECT_LE(word.size(), 8u);
    EXPECT_TRUE(std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; }));
    if (i > 0) {
      EXPECT_LT(Word(i - 1), word);
    }
    EXPECT_TRUE(IsListedWord(word));
  }
  EXPECT_EQ(Word(0), "abandon");
  EXPECT_EQ(Word(2047), "zoo");
  EXPECT_FALSE(IsListedWord(""));
  EXPECT_FALSE(IsListedWord("aaa"));
  EXPECT_FALSE(IsListedWord("zzz"));
}

TEST(CodeTest, ParsesNumberAndWords) {
  const absl::StatusOr<Code> code = ParseCode("4-abandon-zoo", false);
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(code->channel_id, 4u);
  EXPECT_EQ(code->words, "abandon-zoo");
  EXPECT_EQ(code->ToString(), "4-abandon-zoo");
  EXPECT_EQ(ParseCode("999999999-zoo-zoo", false)->channel_id, 999'999'999u);
}

TEST(CodeTest, RefusesWhatIsNoCode) {
  for (const char* text : {"",
                           " ",
                           "4",
                           "4-",
                           "-",
                           "4-zoo",
                           "4-zoo-",
                           "4--zoo",
                           "zoo-zoo",
                           "-zoo-zoo",
                           "0-zoo-zoo",
                           "000-zoo-zoo",
                           "1234567890-zoo-zoo",
                           "4zoo-zoo",
                           "4-zoo-z00",
                           "+4-zoo-zoo",
                           "4-zoo-zoo-zoo-zoo-zoo-zoo-zoo-zoo-zoo",
                           "4-zoo-zo\xc3\xb6",
                           "4-zoo-zoo\xff",
                           "4-zoo-zoo\x1b"}) {
    EXPECT_NE(Message(text, true).find("4-purity-sausage"), std::string::npos) << text;
  }
  EXPECT_FALSE(ParseCode(std::string("4-zoo-z\0o", 9), true).ok());
  EXPECT_FALSE(ParseCode("4-zoo-" + std::string(200, 'a'), true).ok());
  EXPECT_FALSE(ParseCode(std::string(1'000'000, ' '), true).ok());
}

TEST(CodeTest, OtherWordsOnRequest) {
  EXPECT_FALSE(ParseCode("4-purple-sausages", false).ok());
  EXPECT_TRUE(ParseCode("4-purple-sausages", true).ok());
}

TEST(CodeTest, SuggestsTheNearestWordAndRepeatsNoOther) {
  const std::string message = Message("4-zebra-abandom");
  EXPECT_NE(message.find("abandom"), std::string::npos) << message;
  EXPECT_NE(message.find("\"abandon\""), std::string::npos) << message;
  EXPECT_EQ(message.find("zebra"), std::string::npos) << message;
  EXPECT_EQ(Message("4-zoo-qqqqqqqqqqqq").find("did you mean"), std::string::npos);
  EXPECT_EQ(Message("4-zoo-" + std::string(60, 'q')).find("qqq"), std::string::npos);
}

// Each listed word with one letter dropped is not listed, or is told apart from some listed word
// by one change at most.
TEST(CodeTest, ASlipOfOneLetterIsAlwaysSuggestedWithinOneChange) {
  for (size_t i = 0; i < kWordListSize; i += 7) {
    const std::string word(Word(i));
    const std::string slip = word.substr(0, word.size() - 1) + "q";
    if (IsListedWord(slip)) continue;
    EXPECT_NE(Message("4-zoo-" + slip).find("did you mean"), std::string::npos) << slip;
  }
}

TEST(CodeTest, DrawsFromTheWholeListAndRoundTrips) {
  SeededRandom random(7);
  std::set<std::string> seen;
  for (size_t count = kMinWords; count <= kMaxWords; ++count) {
    for (int i = 0; i < 3000; ++i) {
      const Code drawn{1 + random.Below(999'999'999), DrawWords(count, random)};
      EXPECT_LE(drawn.words.size(), kMaxWordsBytes);
      const absl::StatusOr<Code> parsed = ParseCode(drawn.ToString(), false);
      ASSERT_TRUE(parsed.ok()) << drawn.ToString();
      EXPECT_EQ(parsed->channel_id, drawn.channel_id);
      EXPECT_EQ(parsed->words, drawn.words);
      seen.insert(drawn.words.substr(0, drawn.words.find('-')));
    }
  }
  EXPECT_GT(seen.size(), kWordListSize * 99 / 100);
}

TEST(CodeTest, CompletesPrefixes) {
  EXPECT_EQ(WordsWithPrefix("zo", 10), (std::vector<std::string_view>{"zone", "zoo"}));
  EXPECT_EQ(WordsWithPrefix("zo", 1), (std::vector<std::string_view>{"zone"}));
  EXPECT_EQ(WordsWithPrefix("", 3).size(), 3u);
  EXPECT_EQ(WordsWithPrefix("", 5000).size(), kWordListSize);
  EXPECT_TRUE(WordsWithPrefix("zzz", 10).empty());
  EXPECT_TRUE(WordsWithPrefix("zoox", 10).empty());
}

TEST(CodeTest, RandomTextNeverCrashesAndWhatParsesIsCanonical) {
  std::mt19937 random(3);
  int parsed = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string text = i % 3 == 0 ? "4-zoo-" : i % 3 == 1 ? "12-" : "";
    for (unsigned n = random() % 10; n > 0; --n) {
      text += i % 5 == 0 ? static_cast<char>(random()) : "abcZ-19 \n"[random() % 9];
    }
    const absl::StatusOr<Code> code = ParseCode(text, true);
    if (!code.ok()) continue;
    ++parsed;
    const absl::StatusOr<Code> again = ParseCode(code->ToString(), true);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->ToString(), code->ToString());
    EXPECT_GE(code->channel_id, 1u);
    EXPECT_LE(code->channel_id, 999'999'999u);
  }
  EXPECT_GT(parsed, 100);
}

}  // namespace
}  // namespace wormhole::core
