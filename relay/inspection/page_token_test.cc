#include "relay/inspection/page_token.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

TEST(PageTokenTest, ComesBackAsItWent) {
  for (const ChannelKey& key :
       {ChannelKey{"example.com/app1", 7}, ChannelKey{"a/b/c", 0},
        ChannelKey{std::string(255, 'x'), kMaxChannelId}, ChannelKey{"\xe6\x97\xa5", 1}}) {
    const std::string token = WritePageToken(key);
    EXPECT_EQ(ReadPageToken(token), key);
    EXPECT_EQ(token.find_first_of("=+/ "), std::string::npos) << token;
  }
}

TEST(PageTokenTest, AnythingElseIsNone) {
  EXPECT_EQ(ReadPageToken(""), std::nullopt);
  EXPECT_EQ(ReadPageToken("not base64!"), std::nullopt);
  EXPECT_EQ(ReadPageToken(std::string(100'000, 'A')), std::nullopt);
  for (const std::string text :
       {"7", "/app", "7/", "-1/app", "+7/app", " 7/app", "07/app", "1000000000/app",
        "4294967303/app", "x/app", "7/a\nb", "7/\xff", "7.0/app"}) {
    EXPECT_EQ(ReadPageToken(absl::WebSafeBase64Escape(text)), std::nullopt) << text;
  }
  EXPECT_EQ(ReadPageToken(absl::WebSafeBase64Escape("7/" + std::string(256, 'x'))), std::nullopt);
  EXPECT_EQ(ReadPageToken(WritePageToken({"app", 7}) + "="), std::nullopt);
  EXPECT_EQ(ReadPageToken(absl::Base64Escape("7/app")), std::nullopt);  // padded
}

}  // namespace
}  // namespace wormhole::relay
