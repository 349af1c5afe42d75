#include "relay/monitor/trace_parent.h"

#include <random>
#include <string>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kParent = "00f067aa0ba902b7";
const std::string kGood = "00-" + kTrace + "-" + kParent + "-01";

TEST(TraceParentTest, ReadsVersion00) {
  const auto parent = ReadTraceParent(kGood);
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace_id, kTrace);
  EXPECT_EQ(parent->parent_id, kParent);
  EXPECT_TRUE(ReadTraceParent("00-" + kTrace + "-" + kParent + "-00"));
  EXPECT_TRUE(ReadTraceParent("00-" + kTrace + "-" + kParent + "-ff"));
}

TEST(TraceParentTest, ReadsWhatItKnowsOfLaterVersions) {
  for (const char* more : {"", "-", "-what-the-future-is"}) {
    EXPECT_TRUE(ReadTraceParent("01-" + kTrace + "-" + kParent + "-01" + more)) << more;
    EXPECT_TRUE(ReadTraceParent("fe-" + kTrace + "-" + kParent + "-01" + more)) << more;
  }
  EXPECT_FALSE(ReadTraceParent("01-" + kTrace + "-" + kParent + "-01x"));
  EXPECT_FALSE(ReadTraceParent("01-" + kTrace + "-" + kParent + "-0"));
}

TEST(TraceParentTest, RefusesAllElse) {
  const std::string upper = "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + kParent + "-01";
  for (const std::string& header : {
           std::string(),
           std::string("00"),
           std::string("00-"),
           upper,
           "ff-" + kTrace + "-" + kParent + "-01",                // the version that is none
           "0-" + kTrace + "-" + kParent + "-01",                 // one digit
           "0g-" + kTrace + "-" + kParent + "-01",                //
           "00-" + std::string(32, '0') + "-" + kParent + "-01",  // no trace
           "00-" + kTrace + "-" + std::string(16, '0') + "-01",   // no parent
           "00-" + kTrace.substr(1) + "-" + kParent + "-01",      // too short
           "00-0" + kTrace + "-" + kParent + "-01",               // too long
           "00-" + kTrace + "-" + kParent,                        // no flags
           "00-" + kTrace + "-" + kParent + "-1",                 //
           "00-" + kTrace + "-" + kParent + "-0x",                //
           "00_" + kTrace + "-" + kParent + "-01",                //
           kGood + "-",
           kGood + "-more",
           kGood + "1",
           kGood + " ",  // more than 00 has
           " " + kGood,
           kGood + "\n",
       }) {
    EXPECT_FALSE(ReadTraceParent(header)) << header;
  }
}

TEST(TraceParentTest, OneByteThatIsWrongIsNoTraceParentOrAnother) {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string header = kGood;
    header[random() % header.size()] = static_cast<char>(random());
    if (const auto parent = ReadTraceParent(header)) {
      for (const std::string_view id : {parent->trace_id, parent->parent_id}) {
        ASSERT_EQ(id.find_first_not_of("0123456789abcdef"), std::string_view::npos);
      }
    }
  }
}

}  // namespace
}  // namespace wormhole::relay
