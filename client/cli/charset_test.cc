#include "client/cli/charset.h"

#include <stdlib.h>

#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

struct Case {
  const char* all;
  const char* type;
  const char* lang;
  Charset charset;
};

TEST(CharsetTest, TheLocaleOfTheEnvironmentCounts) {
  for (const Case& c : {
           Case{"", "", "", Charset::kAscii},
           Case{"C", "", "", Charset::kAscii},
           Case{"POSIX", "", "C.UTF-8", Charset::kAscii},
           Case{"C.UTF-8", "", "", Charset::kUtf8},
           Case{"C.utf8", "", "", Charset::kUtf8},
           Case{"", "C.UTF-8", "C", Charset::kUtf8},
           Case{"", "C", "C.UTF-8", Charset::kAscii},
           Case{"", "", "C.UTF-8", Charset::kUtf8},
           // Locales that this machine need not have.
           Case{"", "", "xx_YY.UTF-8", Charset::kUtf8},
           Case{"xx_YY.utf8@odd", "", "", Charset::kUtf8},
           Case{"xx_YY.ISO-8859-1", "", "C.UTF-8", Charset::kAscii},
           Case{"xx_YY", "", "C.UTF-8", Charset::kAscii},
       }) {
    setenv("LC_ALL", c.all, 1);
    setenv("LC_CTYPE", c.type, 1);
    setenv("LANG", c.lang, 1);
    EXPECT_EQ(LocaleCharset(), c.charset) << c.all << "|" << c.type << "|" << c.lang;
  }
}

}  // namespace
}  // namespace wormhole::cli
