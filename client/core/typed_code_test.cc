#include "client/core/typed_code.h"

#include <optional>
#include <string>
#include <vector>

#include "client/core/code.h"
#include "gtest/gtest.h"

namespace wormhole::core {
namespace {

constexpr char kCode[] = "4-able-zoo";

TEST(TypedCodeTest, WhateverStandsBetweenTheWordsIsAHyphen) {
  for (const std::string separator : {
           "-",
           " ",
           "   ",
           " - ",
           "--",
           "_",
           ".",
           ",",
           ", ",
           "\t",
           "\r\n",
           "\u0085",
           "\u00a0",  // NBSP
           "\u00ad",  // soft hyphen
           "\u1680",
           "\u2003",  // em space
           "\u2009",  // thin space
           "\u2010",  // hyphen
           "\u2011",  // non-breaking hyphen
           "\u2012",  // figure dash
           "\u2013",  // en dash
           "\u2014",  // em dash
           " \u2014 ",
           "\u2015",  // horizontal bar
           "\u2028",
           "\u202f",  // narrow NBSP
           "\u205f",
           "\u2212",  // minus sign
           "\u3000",  // ideographic space
           "\ufe58",
           "\ufe63",
           "\uff0d",   // full-width hyphen-minus
           "\uff3f",   // full-width low line
           "-\u200b",  // a zero-width space, where a browser may break the line
           "\u2060\u2011\u2060",
       }) {
    const std::string typed = "4" + separator + "able" + separator + "zoo";
    EXPECT_EQ(NormalizeCode(typed), kCode) << typed;
  }
}

TEST(TypedCodeTest, WhateverStandsAroundItIsNoPartOfIt) {
  for (const std::string typed : {
           "4-able-zoo",
           "  4-able-zoo \n",
           "\u00a04-able-zoo\u00a0",
           "\ufeff4-able-zoo",
           "\u200b4-able-zoo\u200b",
           "\u200e4-able-zoo\u200f",
           "\u202a4-able-zoo\u202c",
           "\u20664-able-zoo\u2069",
           "\"4-able-zoo\"",
           "'4-able-zoo'",
           "`4-able-zoo`",
           "```4-able-zoo```",
           "\u00b44-able-zoo\u00b4",
           "\u201c4-able-zoo\u201d",
           "\u20184-able-zoo\u2019",
           "\u201e4-able-zoo\u201c",
           "\u00ab\u00a04-able-zoo\u00a0\u00bb",
           "\u20394-able-zoo\u203a",
           "\u20324-able-zoo\u2033",
           "\u300c4-able-zoo\u300d",
           "\uff084-able-zoo\uff09",
           "(4-able-zoo)",
           "[4-able-zoo]",
           "{4-able-zoo}",
           "<4-able-zoo>",
           "4-able-zoo.",
           "\"4-able-zoo.\"",
           "4-able-zoo!",
           "4-able-zoo?",
           "4-able-zoo;",
           "4-able-zoo,",
           "\u2013 4-able-zoo",
           "-4-able-zoo-",
           "Invitation code: 4-able-zoo",
           "Invitation code\uff1a\uff14-able-zoo",
           "> Invitation code: \"4-able-zoo\".",
           "the code is: this: 4-able-zoo",
           "4-Able-ZOO",
           "04-able-zoo",
           "0004-able-zoo",
           "\"04-able-zoo\"",
           "\uff14-\uff41\uff42\uff4c\uff45-\uff3a\uff2f\uff2f",
           "\uff10\uff14\uff0d able\u3000zoo",
       }) {
    EXPECT_EQ(NormalizeCode(typed), kCode) << typed;
    EXPECT_EQ(ParseCode(typed, false)->ToString(), kCode) << typed;
  }
}

TEST(TypedCodeTest, WhatIsNoHabitIsLeftForTheParserToRefuse) {
  for (const std::string typed : {
           "4-able\"zoo",  // wrapping inside
           "4-\"able\"-zoo",
           "4:able:zoo",  // a colon behind a digit is no label
           "channel 7: 4-able-zoo",
           "4/able/zoo",
           "4+able+zoo",
           "4-able-zoo-\xd0\xb0\xd0\xb1",  // Cyrillic
           "\u0664-able-zoo",              // an Arabic 4
           "4-abl\u00e9-zoo",
           "https://example.com/4-able-zoo",
           "4-able-zoo\x1b[A",
           "4-able\u2043zoo",  // a bullet
           "$4-able-zoo",
           "00-able-zoo",
           "Invitation code:",
           "\"\"",
           "...",
       }) {
    EXPECT_FALSE(ParseCode(typed, true).ok()) << typed;
  }
}

TEST(TypedCodeTest, BytesThatAreNoTextAreRefused) {
  for (const std::string typed : {"4-able-zoo\xff",
                                  "\xa0"
                                  "4-able-zoo",
                                  "4\xad"
                                  "able-zoo",
                                  "\xff\xfe"}) {
    EXPECT_EQ(NormalizeCode(typed), std::nullopt);
    EXPECT_EQ(NormalizeUnfinishedCode(typed), std::nullopt);
    EXPECT_FALSE(ParseCode(typed, true).ok());
  }
}

TEST(TypedCodeTest, AnUnfinishedCodeKeepsItsEnd) {
  EXPECT_EQ(NormalizeUnfinishedCode("4 able "), "4-able-");
  EXPECT_EQ(NormalizeUnfinishedCode(" \"04"), "4");
  EXPECT_EQ(NormalizeUnfinishedCode("Code: 4 \u2013 ab"), "4-ab");
  EXPECT_EQ(NormalizeUnfinishedCode(""), "");
}

// Applying it again changes nothing, so that a code may pass through several ways in.
TEST(TypedCodeTest, WhatIsTakenIsCanonicalAndStaysSo) {
  const std::vector<std::string> pieces = {"4",      "0",      "able",   "-",      " ",      ":",
                                           "\"",     "\u2013", "\u200b", "\uff14", "\uff1a", "Z",
                                           "\u00e9", "(",      ".",      "\u3000"};
  for (size_t first = 0; first < pieces.size(); ++first) {
    for (size_t second = 0; second < pieces.size(); ++second) {
      for (size_t third = 0; third < pieces.size(); ++third) {
        const std::string typed = pieces[first] + pieces[second] + pieces[third] + "-able-zoo";
        const absl::StatusOr<Code> code = ParseCode(typed, true);
        if (!code.ok()) continue;
        EXPECT_EQ(NormalizeCode(typed), code->ToString()) << typed;
        EXPECT_EQ(NormalizeCode(code->ToString()), code->ToString()) << typed;
      }
    }
  }
}

}  // namespace
}  // namespace wormhole::core
