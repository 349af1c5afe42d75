#include "client/cli/testing/screen_model.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

using ::testing::ElementsAre;

TEST(ScreenModelTest, AFullRowGoesOnInTheNext) {
  ScreenModel screen(4);
  screen.Write("abcd");
  EXPECT_THAT(screen.Rows(), ElementsAre("abcd"));
  screen.Write("\rx");
  EXPECT_THAT(screen.Rows(), ElementsAre("xbcd"));
  screen.Write("yzwv");
  EXPECT_THAT(screen.Rows(), ElementsAre("xyzw", "v"));
  screen.Write("\r\x1b[Kq\r\n\r\nend");
  EXPECT_THAT(screen.Rows(), ElementsAre("xyzw", "q", "", "end"));
  EXPECT_FALSE(screen.confused());
}

TEST(ScreenModelTest, WideCharacters) {
  ScreenModel screen(5);
  screen.Write("\u6f22\u6f22\u6f22e\u0301");
  EXPECT_THAT(screen.Rows(), ElementsAre("\u6f22\u6f22", "\u6f22e\u0301"));
}

TEST(ScreenModelTest, ItIsConfusedByWhatWeNeverWrite) {
  for (const char* bytes : {"\x1b[2J", "\x1b]0;title\a", "\x9b", "\u009b", "\x0e", "\x7f"}) {
    ScreenModel screen(80);
    screen.Write(bytes);
    EXPECT_TRUE(screen.confused()) << bytes;
  }
  ScreenModel screen(80);
  screen.Write("\x1b[1;31mred\x1b[0m\x1b[K\a\b");
  EXPECT_FALSE(screen.confused());
}

}  // namespace
}  // namespace wormhole::cli
