#include "tests/end_to_end/secret_search.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace wormhole::testing {
namespace {

constexpr char kBytes[] = "\x01\x9f\xe2 a\"\\\x7f\n\xffZ\x80\x1b[;q%\0\x31x\xd0\xb7.";
const std::string kSecret(kBytes, sizeof(kBytes) - 1);

class SecretSearchTest : public ::testing::Test {
 protected:
  SecretSearchTest() { search_.Add("token", kSecret); }

  bool Finds(const std::string& text) const { return !search_.FindIn(text).empty(); }

  SecretSearch search_;
};

TEST_F(SecretSearchTest, FindsNothingInWhatHasNone) {
  EXPECT_FALSE(Finds(""));
  EXPECT_FALSE(Finds("2026-07-01T12:00:00.000Z info stream ended app=example.com/app1"));
  EXPECT_FALSE(Finds(kSecret.substr(0, 7)));
  EXPECT_FALSE(Finds(absl::BytesToHexString(kSecret.substr(3, 7))));
}

TEST_F(SecretSearchTest, SaysWhatItHasFoundAndAsWhat) {
  EXPECT_EQ(search_.FindIn("..." + kSecret + "..."), (std::set<std::string>{"token as it is"}));
  EXPECT_EQ(search_.FindIn("x" + absl::BytesToHexString(kSecret)),
            (std::set<std::string>{"token as hexadecimal"}));
}

TEST_F(SecretSearchTest, FindsPartsAnywhereInAnyForm) {
  for (size_t at = 0; at + 12 <= kSecret.size(); ++at) {
    const std::string part = kSecret.substr(at, 12);
    std::string upper = absl::BytesToHexString(part);
    absl::AsciiStrToUpper(&upper);
    std::string colons, octal, decimal, percent, numbers;
    for (const unsigned char c : part) {
      char text[64];
      colons += colons.empty() ? "" : ":";
      colons += absl::BytesToHexString({reinterpret_cast<const char*>(&c), 1});
      snprintf(text, sizeof(text), "\\%03o", c);
      octal += text;
      snprintf(text, sizeof(text), "\\%03u", c);
      decimal += text;
      snprintf(text, sizeof(text), "%%%02x", c);
      percent += text;
      numbers += (numbers.empty() ? "" : ", ") + std::to_string(c);
    }
    for (const std::string& form :
         {part, absl::BytesToHexString(part), upper, colons, octal, decimal, percent, numbers,
          absl::CEscape(part), absl::CHexEscape(part)}) {
      EXPECT_TRUE(Finds("2026 x=" + form + "\n")) << at << ": " << form;
    }
  }
}

TEST_F(SecretSearchTest, FindsBase64AtEveryAlignment) {
  for (const char* before : {"", "a", "bc", "def"}) {
    EXPECT_TRUE(Finds("x=" + absl::Base64Escape(std::string(before) + kSecret + "more")));
    EXPECT_TRUE(Finds("x=" + absl::WebSafeBase64Escape(std::string(before) + kSecret + "more")));
  }
}

TEST_F(SecretSearchTest, FindsWordsAsTheyAre) {
  SecretSearch words;
  words.Add("word", "zebra");
  EXPECT_FALSE(words.FindIn("code=8-zebra-walnut").empty());
  EXPECT_FALSE(words.FindIn(absl::BytesToHexString("the zebra")).empty());
  EXPECT_TRUE(words.FindIn("zebr").empty());
}

TEST_F(SecretSearchTest, FindsTextInJson) {
  SecretSearch texts;
  texts.Add("data", "say \"hello\" to them");
  EXPECT_FALSE(texts.FindIn(nlohmann::json("say \"hello\" to them").dump()).empty());
}

}  // namespace
}  // namespace wormhole::testing
