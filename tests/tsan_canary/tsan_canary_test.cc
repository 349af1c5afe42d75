// Built with ThreadSanitizer, planted races must be reported; a build that lets them pass would
// pass anything. Built without, the same program just runs.
#include <string>

#include "gtest/gtest.h"
#include "tests/support/child_process.h"

namespace wormhole::testing {
namespace {

#ifdef __SANITIZE_THREAD__
constexpr bool kAwake = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
constexpr bool kAwake = true;
#else
constexpr bool kAwake = false;
#endif
#else
constexpr bool kAwake = false;
#endif

constexpr char kReport[] = "WARNING: ThreadSanitizer: data race";

class TsanCanaryTest : public ::testing::TestWithParam<const char*> {};

TEST_P(TsanCanaryTest, APlantedRaceIsReportedByThreadSanitizer) {
  ChildProcess canary({.arguments = {"tests/tsan_canary/canary", GetParam()}});
  const int exit_code = canary.WaitForExit();
  EXPECT_EQ(exit_code != 0, kAwake) << exit_code << "\n" << canary.err();
  EXPECT_EQ(canary.err().find(kReport) != std::string::npos, kAwake) << canary.err();
}

INSTANTIATE_TEST_SUITE_P(Races, TsanCanaryTest, ::testing::Values("counter", "status"));

TEST(TsanCanaryControlTest, WhatIsCleanIsNotReported) {
  ChildProcess canary({.arguments = {"tests/tsan_canary/canary", "none"}});
  EXPECT_EQ(canary.WaitForExit(), 0) << canary.err();
}

}  // namespace
}  // namespace wormhole::testing
