#include "relay/channel/log_rules.h"

#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();

TEST(LogRulesTest, TheNextNumberIsKept) {
  EXPECT_EQ(JudgeAppend({}, 1), AppendStep::kKeep);
  EXPECT_EQ(JudgeAppend({.stored = 7, .forgotten = 3, .accepted = 3}, 8), AppendStep::kKeep);
}

TEST(LogRulesTest, WhatTheReaderHasIsCountedOnly) {
  EXPECT_EQ(JudgeAppend({.stored = 2, .forgotten = 2, .accepted = 5}, 3), AppendStep::kCount);
  EXPECT_EQ(JudgeAppend({.stored = 5, .forgotten = 5, .accepted = 5}, 6), AppendStep::kKeep);
}

TEST(LogRulesTest, KeptNumbersAreComparedAndForgottenOnesAreNot) {
  const LogState log = {.stored = 7, .forgotten = 3, .accepted = 3};
  EXPECT_EQ(JudgeAppend(log, 3), AppendStep::kDone);
  EXPECT_EQ(JudgeAppend(log, 4), AppendStep::kCompare);
  EXPECT_EQ(JudgeAppend(log, 7), AppendStep::kCompare);
}

TEST(LogRulesTest, EverythingElseIsAGap) {
  EXPECT_EQ(JudgeAppend({}, 0), AppendStep::kGap);
  EXPECT_EQ(JudgeAppend({}, 2), AppendStep::kGap);
  EXPECT_EQ(JudgeAppend({.accepted = kHuge}, kHuge), AppendStep::kGap);
  EXPECT_EQ(JudgeAppend({.stored = 7}, 9), AppendStep::kGap);
}

TEST(LogRulesTest, CountingMovesTheEnds) {
  EXPECT_EQ(CountKept({.stored = 1, .bytes = 10}, 5), (LogState{.stored = 2, .bytes = 15}));
  EXPECT_EQ(CountForgotten({.stored = 2, .forgotten = 2, .accepted = 9}),
            (LogState{.stored = 3, .forgotten = 3, .accepted = 9}));
}

TEST(LogRulesTest, AcceptedOnlyRisesAndMayExceedStored) {
  const LogState log = {.stored = 7, .forgotten = 3, .accepted = 3};
  EXPECT_EQ(RaiseAccepted(log, 2), log);
  EXPECT_EQ(RaiseAccepted(log, 5), (LogState{.stored = 7, .forgotten = 5, .accepted = 5}));
  EXPECT_EQ(RaiseAccepted(log, kHuge), (LogState{.stored = 7, .forgotten = 7, .accepted = kHuge}));
}

}  // namespace
}  // namespace wormhole::relay
