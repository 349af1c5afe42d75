#include "client/cli/code_completion.h"

#include <random>
#include <string>

#include "client/core/code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CodeCompletionTest, NumbersGetTheirHyphen) {
  EXPECT_EQ(CompleteCode("4").text, "4-");
  EXPECT_EQ(CompleteCode("").text, "");
  EXPECT_EQ(CompleteCode("4a").text, "4a");
}

TEST(CodeCompletionTest, WordsAreCompleted) {
  EXPECT_EQ(CompleteCode("4-purp").text, "4-purpose-");
  EXPECT_EQ(CompleteCode("4-saus").text, "4-sausage-");
  EXPECT_EQ(CompleteCode("4-sausage-aban").text, "4-sausage-abandon");
  EXPECT_EQ(CompleteCode("4-xyz").text, "4-xyz");
  EXPECT_THAT(CompleteCode("4-xyz").candidates, IsEmpty());
}

TEST(CodeCompletionTest, AmbiguousOnesAreShown) {
  EXPECT_THAT(CompleteCode("4-zo").candidates, ElementsAre("zone", "zoo"));
  // A whole word that others begin with.
  EXPECT_THAT(CompleteCode("4-act").candidates, Contains("action"));
  // Too many to choose from.
  EXPECT_THAT(CompleteCode("4-").candidates, IsEmpty());
  EXPECT_THAT(CompleteCode("4-s").candidates, IsEmpty());
}

// Completion only adds, and each word of the list can be reached by completing any beginning.
TEST(CodeCompletionTest, EachWordOfTheList) {
  for (size_t i = 0; i < core::kWordListSize; ++i) {
    const std::string word(core::Word(i));
    for (size_t size = 1; size <= word.size(); ++size) {
      const std::string typed = "4-able-" + word.substr(0, size);
      const Completion completion = CompleteCode(typed);
      EXPECT_EQ(completion.text.substr(0, typed.size()), typed);
      const std::string whole = "4-able-" + word;
      EXPECT_EQ(whole.substr(0, completion.text.size()), completion.text);
    }
  }
}

TEST(CodeCompletionTest, AnyText) {
  std::mt19937 random(1);
  const std::string alphabet = "0129-abez";
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (size_t n = random() % 12; n > 0; --n) text += alphabet[random() % alphabet.size()];
    EXPECT_EQ(CompleteCode(text).text.substr(0, text.size()), text);
  }
}

}  // namespace
}  // namespace wormhole::cli
