#include "relay/monitor/log_line.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

LogLine Line(std::vector<LogField> fields) {
  return {.time = absl::FromUnixMillis(1'782'907'200'012),
          .level = LogChoice::Level::kInfo,
          .message = "stream ended",
          .fields = std::move(fields)};
}

TEST(LogLineTest, TextHasTheTimeTheLevelTheMessageAndTheFields) {
  EXPECT_EQ(WriteTextLine(Line({{"app", "example.com/app1"},
                                {"channel", uint64_t{4}},
                                {"seconds", 1.5},
                                {"empty", ""},
                                {"invalid", true}})),
            "2026-07-01T12:00:00.012Z info stream ended app=example.com/app1 channel=4 "
            "seconds=1.500 empty=\"\" invalid=true\n");
}

TEST(LogLineTest, JsonIsOneObjectPerLine) {
  EXPECT_EQ(WriteJsonLine(Line({{"app", "example.com/app1"},
                                {"channel", uint64_t{4}},
                                {"seconds", 0.0123456},
                                {"invalid", true}})),
            "{\"time\":\"2026-07-01T12:00:00.012Z\",\"level\":\"info\",\"message\":\"stream "
            "ended\",\"app\":\"example.com/app1\",\"channel\":4,\"seconds\":0.012,"
            "\"invalid\":true}\n");
}

TEST(LogLineTest, NoValueForgesAFieldALineOrATerminalsCommands) {
  EXPECT_EQ(WriteTextLine(Line({{"app", "a end=OK"}})),
            "2026-07-01T12:00:00.012Z info stream ended app=\"a end=OK\"\n");
  EXPECT_EQ(WriteTextLine(Line({{"app", "a\" end=\"OK"}})),
            "2026-07-01T12:00:00.012Z info stream ended app=\"a\\\" end=\\\"OK\"\n");
  EXPECT_EQ(WriteTextLine(Line({{"app", "a\nb\x1b[2J\xc2\x9bK\xe2\x80\xae"}})),
            "2026-07-01T12:00:00.012Z info stream ended "
            "app=\"a\\nb\\x1b[2J\\xc2\\x9bK\\xe2\\x80\\xae\"\n");
  EXPECT_EQ(WriteJsonLine(Line({{"app", "\"\n\x1b\xc2\x9b\xff"}})),
            "{\"time\":\"2026-07-01T12:00:00.012Z\",\"level\":\"info\",\"message\":\"stream "
            "ended\",\"app\":\"\\\"\\n\\u001b\\u009b\\ufffd\"}\n");
}

TEST(LogLineTest, TheMessageCannotEither) {
  LogLine line = Line({});
  line.message = "the disk says\nno\x1b[2J";
  EXPECT_EQ(WriteTextLine(line), "2026-07-01T12:00:00.012Z info the disk says\\nno\\x1b[2J\n");
}

TEST(LogLineTest, LongValuesAreCut) {
  EXPECT_LT(WriteTextLine(Line({{"app", std::string(1 << 20, '\xff')}})).size(), 4200u);
  EXPECT_LT(WriteJsonLine(Line({{"app", std::string(1 << 20, '\x01')}})).size(), 6500u);
}

// Whatever the bytes: one line of printable ASCII, and JSON that gives back what was UTF-8.
TEST(LogLineTest, RandomBytesAreHarmless) {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string value(random() % 20, '\0');
    for (char& c : value) c = static_cast<char>(random() % 3 == 0 ? random() : 'a' + random() % 3);
    for (const std::string& line :
         {WriteTextLine(Line({{"app", value}})), WriteJsonLine(Line({{"app", value}}))}) {
      ASSERT_EQ(line.find('\n'), line.size() - 1);
      ASSERT_TRUE(
          std::all_of(line.begin(), line.end() - 1, [](char c) { return c >= ' ' && c < 0x7f; }));
    }
    const auto read = nlohmann::json::parse(WriteJsonLine(Line({{"app", value}})));
    const bool ascii = std::ranges::all_of(value, [](char c) { return c >= 0; });
    ASSERT_TRUE(!ascii || read["app"] == value);
  }
}

}  // namespace
}  // namespace wormhole::relay
