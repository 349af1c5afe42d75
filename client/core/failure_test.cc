#include "client/core/failure.h"

#include "absl/strings/cord.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

TEST(OutcomeTest, EveryReasonSurvivesInAStatus) {
  for (int i = 0; i <= static_cast<int>(kLastReason); ++i) {
    const Reason reason = static_cast<Reason>(i);
    const absl::Status status =
        core::Failure(reason, absl::StatusCode::kAborted, "what happened, what to do");
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
    EXPECT_EQ(status.message(), "what happened, what to do");
    EXPECT_EQ(ReasonOf(status), reason);
  }
}

TEST(OutcomeTest, OkAndForeignStatusesHaveNone) {
  EXPECT_EQ(ReasonOf(absl::OkStatus()), Reason::kNone);
  EXPECT_EQ(ReasonOf(absl::AbortedError("x")), Reason::kNone);
  for (const char* payload : {"", "x", "-1", "99999", "99999999999999999999"}) {
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
