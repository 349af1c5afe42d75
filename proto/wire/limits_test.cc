#include "proto/wire/limits.h"

#include <fstream>
#include <iterator>
#include <regex>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::wire {
namespace {

using ::testing::HasSubstr;

// The page on one line.
std::string Page() {
  std::ifstream file("proto/PROTOCOL.md");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return std::regex_replace(text, std::regex("\\s+"), " ");
}

// 65000 as "65,000".
std::string Text(uint64_t number) {
  std::string text = absl::StrCat(number);
  for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3) text.insert(at, ",");
  return text;
}

TEST(LimitsTest, AreThePages) {
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("from 1 to " + Text(kMaxChannelId)));
  EXPECT_THAT(page, HasSubstr("Limits are at least " + Text(kMinWindowFrames) + " frames, " +
                              Text(kMinWindowBytes) + " bytes, and " + Text(kMinFrameLimit) +
                              " bytes for one frame"));
  EXPECT_THAT(page,
              HasSubstr("`window_frames` below " + Text(kMinWindowFrames) + " as " +
                        Text(kMinWindowFrames) + ", `window_bytes` below " + Text(kMinWindowBytes) +
                        " as that, `max_frame_bytes` 0 as " + Text(kMinFrameLimit)));
  EXPECT_THAT(page, HasSubstr("`max_frame_bytes` is at least " + Text(kMinFrameLimit) +
                              " and at most " + Text(kMaxFrameLimit)));
  EXPECT_THAT(page, HasSubstr("MUST take responses of up to " + Text(kMaxResponseBytes) +
                              " bytes (the largest frame and 4 KiB)"));
  EXPECT_EQ(kMaxResponseBytes, static_cast<int>(kMaxFrameLimit) + 4 * 1024);
  EXPECT_THAT(page, HasSubstr("`max_frame_bytes` and " + Text(kRequestSlack / 1024) + " KiB more"));
  EXPECT_THAT(page,
              HasSubstr("every interval (" + absl::StrCat(kDefaultHeartbeat / absl::Seconds(1)) +
                        " s before `opened` says otherwise)"));
  EXPECT_THAT(page, HasSubstr("below " + absl::StrCat(kMinHeartbeat / absl::Milliseconds(1)) +
                              " ms or above an hour as 20 s"));
  EXPECT_EQ(kMaxHeartbeat, absl::Hours(1));
  EXPECT_THAT(page, HasSubstr("lost after two and a half intervals"));
  EXPECT_EQ(kSilentHeartbeats, 2.5);
  EXPECT_THAT(page, HasSubstr("has no `opened` after " +
                              absl::StrCat(kOpensWithin / absl::Seconds(1)) + " s"));
  EXPECT_THAT(page, HasSubstr("`data` has 0 to " + Text(kMaxDataBytes) + " bytes"));
}

}  // namespace
}  // namespace wormhole::wire
