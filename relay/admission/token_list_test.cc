#include "relay/admission/token_list.h"

#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/admission/token_hash.h"

namespace wormhole::relay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kAlice[] = "pVY8y1PPtYfFoqzMeWMf4b0uHvNnMS4nVn1WcCPv0aQ";
constexpr char kBob[] = "7sKxvT3Zb_0f-Ck1dqYfGVQbhS6vV0b9oWmJxkPz4uE";

std::string Line(std::string_view token, std::string_view rest) {
  return WriteTokenHash(HashToken(token)) + " " + std::string(rest) + "\n";
}

TokenList List(const std::string& text) {
  absl::StatusOr<TokenList> list = TokenList::Parse(text);
  EXPECT_TRUE(list.ok()) << list.status();
  return list.ok() ? *std::move(list) : TokenList();
}

std::string Why(const std::string& text) {
  const absl::StatusOr<TokenList> list = TokenList::Parse(text);
  EXPECT_FALSE(list.ok());
  return std::string(list.status().message());
}

TokenVerdict Judge(const TokenList& list, std::optional<std::string_view> token, TokenUse use,
                   std::string_view app_id) {
  std::optional<TokenHash> hash;
  if (token) hash = HashToken(*token);
  return list.Judge(hash, use, app_id);
}

TEST(TokenListTest, ATokenIsForItsAppIdsAndItsUse) {
  const TokenList list = List("# Alice's\n\n" + Line(kAlice, "allocate,claim example.com/*") +
                              "  \t\n" + Line(kBob, "claim example.com/app 1"));
  EXPECT_EQ(list.size(), 2u);
  const struct {
    const char* token;
    TokenUse use;
    const char* app_id;
    TokenVerdict verdict;
  } cases[] = {
      {kAlice, TokenUse::kAllocate, "example.com/a", TokenVerdict::kGranted},
      {kAlice, TokenUse::kClaim, "example.com/", TokenVerdict::kGranted},
      {kAlice, TokenUse::kClaim, "example.com", TokenVerdict::kNotForThis},
      {kAlice, TokenUse::kClaim, "example.org/a", TokenVerdict::kNotForThis},
      {kBob, TokenUse::kClaim, "example.com/app 1", TokenVerdict::kGranted},
      {kBob, TokenUse::kClaim, "example.com/app 10", TokenVerdict::kNotForThis},
      {kBob, TokenUse::kAllocate, "example.com/app 1", TokenVerdict::kNotForThis},
      {"somebody's", TokenUse::kClaim, "example.com/a", TokenVerdict::kUnknown},
      {"", TokenUse::kClaim, "example.com/a", TokenVerdict::kUnknown},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Judge(list, c.token, c.use, c.app_id), c.verdict) << c.token << " " << c.app_id;
  }
  EXPECT_EQ(Judge(list, std::nullopt, TokenUse::kClaim, "example.com/a"), TokenVerdict::kMissing);
}

TEST(TokenListTest, SeveralLinesMayHaveTheSameToken) {
  const TokenList list =
      List(Line(kAlice, "claim a.example") + Line(kBob, "claim *") + Line(kAlice, "allocate b*"));
  EXPECT_EQ(Judge(list, kAlice, TokenUse::kClaim, "a.example"), TokenVerdict::kGranted);
  EXPECT_EQ(Judge(list, kAlice, TokenUse::kAllocate, "b.example"), TokenVerdict::kGranted);
  EXPECT_EQ(Judge(list, kAlice, TokenUse::kAllocate, "a.example"), TokenVerdict::kNotForThis);
  EXPECT_EQ(Judge(list, kBob, TokenUse::kClaim, "c.example"), TokenVerdict::kGranted);
}

TEST(TokenListTest, AnyoneNeedsNoToken) {
  const TokenList list =
      List(Line(kAlice, "allocate example.com/*") + "anyone claim example.com/*");
  EXPECT_EQ(Judge(list, std::nullopt, TokenUse::kClaim, "example.com/a"), TokenVerdict::kGranted);
  EXPECT_EQ(Judge(list, kBob, TokenUse::kClaim, "example.com/a"), TokenVerdict::kGranted);
  EXPECT_EQ(Judge(list, std::nullopt, TokenUse::kAllocate, "example.com/a"),
            TokenVerdict::kMissing);
  EXPECT_EQ(Judge(list, std::nullopt, TokenUse::kClaim, "example.org/a"), TokenVerdict::kMissing);
}

// A line for anyone has no hash to be like.
TEST(TokenListTest, AnAllZeroHashIsNoTokenOfAnyone) {
  const TokenList list = List("anyone claim *");
  EXPECT_EQ(list.Judge(TokenHash{}, TokenUse::kAllocate, "a"), TokenVerdict::kUnknown);
  const TokenList zero = List("sha256:" + std::string(64, '0') + " claim *");
  EXPECT_EQ(zero.Judge(std::nullopt, TokenUse::kClaim, "a"), TokenVerdict::kMissing);
}

TEST(TokenListTest, ALineThatIsNoneIsNamedAndNotRepeated) {
  const std::string good = Line(kAlice, "claim *");
  const struct {
    std::string line;
    const char* what;
  } cases[] = {
      {kAlice + std::string(" claim *"), "a line begins with"},
      {"sha256:abcd claim *", "a line begins with"},
      {"sha256:" + std::string(64, 'x') + " claim *", "a line begins with"},
      {"sha256:" + std::string(66, 'a') + " claim *", "a line begins with"},
      {"Anyone claim *", "a line begins with"},
      {Line(kBob, ""), "what it is for"},
      {Line(kBob, "claim,claim *"), "what it is for"},
      {Line(kBob, "claim, *"), "what it is for"},
      {Line(kBob, "resume *"), "what it is for"},
      {Line(kBob, "claim"), "at the end stands an app-id"},
      {Line(kBob, "claim a*b"), "only at its end"},
      {Line(kBob, "claim a**"), "only at its end"},
      {Line(kBob, "claim a\r"), "control"},
      {Line(kBob, "claim a\xff*"), "UTF-8"},
      {Line(kBob, "claim " + std::string(256, 'a')), "255"},
  };
  for (const auto& c : cases) {
    const std::string why = Why("# first\n" + good + c.line);
    EXPECT_THAT(why, StartsWith("3: "));
    EXPECT_THAT(why, HasSubstr(c.what)) << c.line;
    EXPECT_THAT(why, Not(HasSubstr(kAlice)));
    EXPECT_THAT(why, Not(HasSubstr("\r")));
  }
}

TEST(TokenListTest, AListWithoutTokensIsRefused) {
  for (const char* text : {"", "\n\n", "# nothing\n"}) {
    EXPECT_THAT(Why(text), HasSubstr("nobody could allocate or claim"));
  }
}

TEST(TokenListTest, ItHasLimits) {
  std::string text;
  for (size_t i = 0; i < TokenList::kMaxGrants; ++i)
    text += Line(absl::StrCat("token ", i), "claim *");
  EXPECT_EQ(List(text).size(), TokenList::kMaxGrants);
  EXPECT_THAT(Why(text + "\n" + Line("one more", "claim *")), StartsWith("1002: "));
  EXPECT_THAT(Why(std::string(TokenList::kMaxBytes + 1, '\n')),
              HasSubstr("more than 524288 bytes"));
}

TEST(TokenListTest, ALineIsWrittenAsItIsRead) {
  const TokenHash hash = HashToken(kAlice);
  const absl::StatusOr<std::string> line = TokenList::Write(hash, "claim,allocate", "my app/*");
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(Judge(List(*line), kAlice, TokenUse::kAllocate, "my app/1"), TokenVerdict::kGranted);
  for (const auto& [uses, pattern] : {std::pair{"claim x", "*"},
                                      {"", "*"},
                                      {"claim", ""},
                                      {"claim", " a"},
                                      {"claim", "a "},
                                      {"claim", "a\nb"}}) {
    EXPECT_FALSE(TokenList::Write(hash, uses, pattern).ok()) << uses << " " << pattern;
  }
}

TEST(TokenHashTest, TextAndBack) {
  // FIPS 180-4: SHA-256 of "abc".
  const std::string text =
      "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(WriteTokenHash(HashToken("abc")), text);
  EXPECT_EQ(ReadTokenHash(text), HashToken("abc"));
  EXPECT_EQ(ReadTokenHash(text + "0"), std::nullopt);
  EXPECT_EQ(ReadTokenHash(text.substr(7)), std::nullopt);
}

TEST(TokenHashTest, TheHeaderIsRfc6750s) {
  const TokenHash hash = HashToken("mF_9.B5f-4.1JqM~+/==");
  for (const char* header : {"Bearer mF_9.B5f-4.1JqM~+/==", "bearer mF_9.B5f-4.1JqM~+/==",
                             "BEARER   mF_9.B5f-4.1JqM~+/=="}) {
    EXPECT_EQ(HashOfBearer(header), hash) << header;
  }
  for (const char* header : {"", "Bearer", "Bearer ", "Bearer  ", "Bearer =", "Bearer a b",
                             "Bearer a=b", "Bearer a,b", "Basic YTpi", "Bearera", "a"}) {
    EXPECT_EQ(HashOfBearer(header), std::nullopt) << header;
  }
  EXPECT_NE(HashOfBearer("Bearer " + std::string(kMaxPresentedToken, 'a')), std::nullopt);
  EXPECT_EQ(HashOfBearer("Bearer " + std::string(kMaxPresentedToken + 1, 'a')), std::nullopt);
}

TEST(TokenHashTest, ATokenIsThirtyTwoRandomBytes) {
  std::array<unsigned char, 32> random;
  for (size_t i = 0; i < random.size(); ++i) random[i] = static_cast<unsigned char>(7 * i + 3);
  const std::string token = TokenFrom(random);
  EXPECT_EQ(token, "AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw");
  EXPECT_TRUE(CheckToken(token).ok());
  EXPECT_NE(HashOfBearer("Bearer " + token), std::nullopt);
  for (const std::string& thought_of :
       {std::string(), std::string("correct-horse-battery-staple"), std::string(43, 'a'),
        std::string("correcthorsecorrecthorsecorrecthorsecorrect"), token + "a", token.substr(1),
        token.substr(0, 42) + "!"}) {
    const absl::Status refused = CheckToken(thought_of);
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
    if (!thought_of.empty()) {
      EXPECT_THAT(std::string(refused.message()), Not(HasSubstr(thought_of)));
    }
  }
}

}  // namespace
}  // namespace wormhole::relay
