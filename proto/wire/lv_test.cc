#include "proto/wire/lv.h"

#include <random>

#include "gtest/gtest.h"

namespace wormhole::wire {
namespace {

using namespace std::string_literals;  // NOLINT: only for ""s

std::string JoinAgain(const std::vector<std::string_view>& fields) {
  std::string out;
  for (std::string_view field : fields) out += Lv({field});
  return out;
}

TEST(LvTest, PrefixIsMinimalLeb128) {
  EXPECT_EQ(LvPrefix(0), "\x00"s);
  EXPECT_EQ(LvPrefix(127), "\x7f"s);
  EXPECT_EQ(LvPrefix(128), "\x80\x01"s);
  EXPECT_EQ(LvPrefix(16383), "\xff\x7f"s);
  EXPECT_EQ(LvPrefix(16384), "\x80\x80\x01"s);
  EXPECT_EQ(LvPrefix(UINT64_MAX), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
}

TEST(LvTest, EncodesFieldsInOrder) {
  EXPECT_EQ(Lv({}), "");
  EXPECT_EQ(Lv({"1234", "5", "", "678"}), "\x04"s + "1234" + "\x01" + "5" + "\0"s + "\x03" + "678");
}

TEST(LvTest, ParsesWhatItEncodes) {
  for (size_t size : {0, 1, 127, 128, 255, 256, 16383, 16384, 70000}) {
    const std::string big(size, 'x');
    const std::string bytes = Lv({"a", big, ""});
    const auto fields = ParseLv(bytes, 3);
    ASSERT_TRUE(fields.ok()) << fields.status();
    EXPECT_EQ(*fields, (std::vector<std::string_view>{"a", big, ""}));
  }
  EXPECT_TRUE(ParseLv("", 0).ok());
}

TEST(LvTest, RefusesAnotherNumberOfFields) {
  const std::string bytes = Lv({"a", "b"});
  EXPECT_FALSE(ParseLv(bytes, 0).ok());
  EXPECT_FALSE(ParseLv(bytes, 1).ok());
  EXPECT_FALSE(ParseLv(bytes, 3).ok());
  EXPECT_FALSE(ParseLv("", 1).ok());
  EXPECT_FALSE(ParseLv(bytes, SIZE_MAX).ok());
}

TEST(LvTest, RefusesEveryTruncation) {
  const std::string bytes = Lv({"abc", std::string(200, 'x'), "d"});
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseLv(std::string_view(bytes).substr(0, size), 3).ok()) << size;
  }
}

TEST(LvTest, RefusesLengthsThatAreNotMinimal) {
  EXPECT_FALSE(ParseLv("\x80\x00"s, 1).ok());            // 0 in two bytes
  EXPECT_FALSE(ParseLv("\x81\x00"s + "a", 1).ok());      // 1 in two bytes
  EXPECT_FALSE(ParseLv("\x81\x80\x00"s + "a", 1).ok());  // 1 in three bytes
  EXPECT_FALSE(ParseLv("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"s, 1).ok());
}

TEST(LvTest, RefusesLengthsPastSixtyFourBits) {
  EXPECT_FALSE(ParseLv("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02"s, 1).ok());
  EXPECT_FALSE(ParseLv("\x81\x80\x80\x80\x80\x80\x80\x80\x80\x02"s + "a", 1).ok());
  EXPECT_FALSE(ParseLv("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"s, 1).ok());
  EXPECT_FALSE(ParseLv("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, 1).ok());  // all 64 bits
}

// What is accepted is exactly what Lv() makes of the fields, whatever the bytes.
TEST(LvTest, AcceptsOnlyItsOwnEncodings) {
  std::mt19937 random(1);
  const std::string alphabet = "\x00\x01\x02\x03\x7f\x80\x81\xff"s + "a";
  int accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string bytes(random() % 9, '\0');
    for (char& c : bytes) c = alphabet[random() % alphabet.size()];
    const size_t count = random() % 4;
    const auto fields = ParseLv(bytes, count);
    if (!fields.ok()) continue;
    ++accepted;
    ASSERT_EQ(fields->size(), count);
    ASSERT_EQ(JoinAgain(*fields), bytes);
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace wormhole::wire
