#include "client/core/failure.h"

#include <cstddef>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

#include "absl/strings/cord.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(OutcomeTest, EveryReasonSurvivesInAStatus) {
  for (int i = 0; i <= static_cast<int>(core::kLastReason); ++i) {
    const Reason reason = static_cast<Reason>(i);
    const absl::Status status =
        core::Failure(reason, absl::StatusCode::kAborted, "what happened, what to do");
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
    EXPECT_EQ(status.message(), "what happened, what to do");
    EXPECT_EQ(ReasonOf(status), reason);
    EXPECT_THAT(status.ToString(), HasSubstr(std::string(ReasonName(reason))));
  }
}

TEST(OutcomeTest, EveryReasonHasAName) {
  // By number. Saved states and other programs know them (client/STABILITY.md): only append.
  constexpr std::string_view kReleased[] = {
      "NONE",          "INVALID_ARGUMENT", "WRONG_CODE",     "TIMEOUT",           "UNREACHABLE",
      "REFUSED",       "CROWDED",          "TAKEN",          "NO_SUCH_CODE",      "PEER_GAVE_UP",
      "ABORTED",       "CANCELLED",        "STALE_STATE",    "IN_USE_ELSEWHERE",  "SAVE_FAILED",
      "BLOCKING_CALL", "INTERNAL",         "FORGED",         "NO_COMMON_VERSION", "PEER_UNFINISHED",
      "UNPROVEN",      "FORKED",           "NOT_AUTHORIZED",
  };
  for (size_t i = 0; i < std::size(kReleased); ++i) {
    EXPECT_EQ(ReasonName(static_cast<Reason>(i)), kReleased[i]);
  }
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(core::kLastReason); ++i) {
    names.insert(ReasonName(static_cast<Reason>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(core::kLastReason) + 1);
  EXPECT_THAT(names, Not(Contains("UNKNOWN")));
  EXPECT_EQ(ReasonName(static_cast<Reason>(static_cast<int>(core::kLastReason) + 1)), "UNKNOWN");
}

TEST(OutcomeTest, OkAndForeignStatusesHaveNone) {
  EXPECT_EQ(ReasonOf(absl::OkStatus()), Reason::kNone);
  EXPECT_EQ(ReasonOf(absl::AbortedError("x")), Reason::kNone);
  for (const char* payload : {"", "2", "WRONG", "wrong_code", "WRONG_CODE ", "UNKNOWN"}) {
    absl::Status status = absl::AbortedError("x");
    status.SetPayload("wormhole-sync/reason", absl::Cord(payload));
    EXPECT_EQ(ReasonOf(status), Reason::kNone) << payload;
  }
}

TEST(OutcomeTest, ALaterReasonWins) {
  const absl::Status status = core::WithReason(
      core::Failure(Reason::kTaken, absl::StatusCode::kAlreadyExists, "x"), Reason::kSaveFailed);
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReasonOf(status), Reason::kSaveFailed);
}

}  // namespace
}  // namespace wormhole
