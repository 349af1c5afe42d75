#include "proto/wire/app_id.h"

#include <cstdint>
#include <string>

#include "gtest/gtest.h"

namespace wormhole::wire {
namespace {

using namespace std::string_literals;  // NOLINT: only for ""s

std::string Utf8(uint32_t c) {
  auto tail = [](uint32_t bits) { return static_cast<char>(0x80 | (bits & 0x3f)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xc0 | c >> 6), tail(c)};
  if (c < 0x10000) return {static_cast<char>(0xe0 | c >> 12), tail(c >> 6), tail(c)};
  return {static_cast<char>(0xf0 | c >> 18), tail(c >> 12), tail(c >> 6), tail(c)};
}

TEST(AppIdTest, AcceptsUsualAndForeignNames) {
  EXPECT_TRUE(CheckAppId("example.com/app1").ok());
  EXPECT_TRUE(CheckAppId("a").ok());
  EXPECT_TRUE(CheckAppId(" with blanks ").ok());
  EXPECT_TRUE(CheckAppId("\xc3\xa9xample.org/\xe6\x97\xa5\xf0\x9f\x90\x9b").ok());
}

TEST(AppIdTest, LimitsAreInBytes) {
  EXPECT_FALSE(CheckAppId("").ok());
  EXPECT_TRUE(CheckAppId(std::string(255, 'a')).ok());
  EXPECT_FALSE(CheckAppId(std::string(256, 'a')).ok());
  std::string accents;
  for (int i = 0; i < 127; ++i) accents += "\xc3\xa9";
  EXPECT_TRUE(CheckAppId(accents + "a").ok());
  EXPECT_FALSE(CheckAppId(accents + "\xc3\xa9").ok());
}

// Every code point there is: only controls and surrogates are refused.
TEST(AppIdTest, EveryCodePoint) {
  for (uint32_t c = 0; c <= 0x10ffff; ++c) {
    const bool control = c < 0x20 || (c >= 0x7f && c <= 0x9f);
    const bool surrogate = c >= 0xd800 && c <= 0xdfff;
    ASSERT_EQ(CheckAppId("a" + Utf8(c) + "b").ok(), !control && !surrogate) << c;
  }
}

TEST(AppIdTest, RefusesWhatIsNotUtf8) {
  for (const std::string& bad :
       {"\x80"s, "\xbf"s, "\xc0\x80"s, "\xc1\xbf"s, "\xc3"s, "\xc3("s, "\xe0\x80\x80"s,
        "\xe0\x9f\xbf"s, "\xe6\x97"s, "\xe6\x97("s, "\xed\xa0\x80"s, "\xf0\x80\x80\x80"s,
        "\xf0\x8f\xbf\xbf"s, "\xf0\x9f\x90"s, "\xf4\x90\x80\x80"s, "\xf8\x88\x80\x80\x80"s, "\xfe"s,
        "\xff"s}) {
    EXPECT_EQ(CheckAppId(bad).code(), absl::StatusCode::kInvalidArgument);
    EXPECT_FALSE(CheckAppId("app" + bad).ok());
    EXPECT_FALSE(CheckAppId(bad + "app").ok());
  }
}

}  // namespace
}  // namespace wormhole::wire
