#include "proto/wire/utf8.h"

#include <string>

#include "gtest/gtest.h"

namespace wormhole::wire {
namespace {

TEST(Utf8Test, TellsTextFromBytes) {
  for (const std::string text : {"", "plain\n", "\xc3\xa9", "\xe6\x97\xa5", "\xf0\x9f\x90\x9b"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
  for (const std::string bytes :
       {"\xff", "a\x80", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    EXPECT_FALSE(IsUtf8(bytes)) << bytes;
  }
}

}  // namespace
}  // namespace wormhole::wire
