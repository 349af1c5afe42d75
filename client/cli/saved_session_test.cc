#include "client/cli/saved_session.h"

#include <string>

#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

TEST(SavedSessionTest, RoundTrip) {
  for (bool verify : {false, true}) {
    for (const std::string& state :
         {std::string(), std::string("{\"a\":1}\n\n"), std::string(3, '\0')}) {
      const SecretText text = EncodeSession({.verify = verify, .state = state});
      absl::StatusOr<SavedSession> decoded = DecodeSession(text.view());
      ASSERT_TRUE(decoded.ok());
      EXPECT_EQ(decoded->verify, verify);
      EXPECT_EQ(decoded->state, state);
    }
  }
}

TEST(SavedSessionTest, ForeignAndCutFilesAreRefused) {
  const std::string whole(EncodeSession({.verify = true, .state = "{}"}).view());
  const size_t line = whole.find('\n') + 1;
  for (size_t size = 0; size < line; ++size) {
    EXPECT_FALSE(DecodeSession(whole.substr(0, size)).ok()) << size;
  }
  for (size_t i = 0; i < line; ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      EXPECT_FALSE(DecodeSession(flipped).ok()) << i;
    }
  }
  for (const char* text : {"{}", "\n", "wormhole-sync state 2\n{}", " wormhole-sync state 1\n{}"}) {
    EXPECT_FALSE(DecodeSession(text).ok()) << text;
  }
}

}  // namespace
}  // namespace wormhole::cli
