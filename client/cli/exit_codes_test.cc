#include "client/cli/exit_codes.h"

#include <map>
#include <string>

#include "client/core/failure.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

using ::testing::HasSubstr;

// Every reason, by a switch without a default: a new one does not compile without its exit code.
ExitCode Expected(Reason reason) {
  switch (reason) {
    case Reason::kNone:
    case Reason::kSaveFailed:
    case Reason::kBlockingCall:
    case Reason::kInternal:
    case Reason::kForked:
      return kLocal;
    case Reason::kInvalidArgument:
      return kUsage;
    case Reason::kWrongCode:
    case Reason::kUnproven:
      return kWrongCode;
    case Reason::kTimeout:
      return kTimedOut;
    case Reason::kUnreachable:
    case Reason::kRefused:
    case Reason::kNotAuthorized:
      return kNoRelay;
    case Reason::kCrowded:
    case Reason::kTaken:
      return kOccupied;
    case Reason::kNoSuchCode:
      return kNoSuchCode;
    case Reason::kPeerGaveUp:
    case Reason::kAborted:
    case Reason::kCancelled:
    case Reason::kPeerUnfinished:
      return kGaveUp;
    case Reason::kForged:
      return kForged;
    case Reason::kNoCommonVersion:
      return kNoCommonVersion;
    case Reason::kStaleState:
    case Reason::kInUseElsewhere:
      return kStaleState;
  }
  return kDone;
}

TEST(ExitCodesTest, EveryReasonHasItsCode) {
  for (int n = 0; n <= static_cast<int>(core::kLastReason); ++n) {
    const auto reason = static_cast<Reason>(n);
    const absl::Status status = core::Failure(reason, absl::StatusCode::kUnknown, "what happened");
    EXPECT_EQ(ExitCodeOf(status), Expected(reason)) << n;
    EXPECT_THAT(Explanation(status), HasSubstr("what happened"));
    EXPECT_THAT(Explanation(status), HasSubstr(std::string(NextStep(reason))));
  }
}

// A refused exchange is over: its state holds the refusal.
TEST(ExitCodesTest, OnlyWhatIsNotInTheStateCanGoOn) {
  for (int n = 0; n <= static_cast<int>(core::kLastReason); ++n) {
    const auto reason = static_cast<Reason>(n);
    EXPECT_EQ(MayGoOn(reason), reason == Reason::kNone || reason == Reason::kSaveFailed) << n;
  }
}

TEST(ExitCodesTest, SuccessAndForeignErrors) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), kDone);
  EXPECT_EQ(ExitCodeOf(absl::InternalError("disk")), kLocal);
  EXPECT_EQ(Explanation(absl::InternalError("disk")), "disk");
}

TEST(ExitCodesTest, TheHelpNamesEachCode) {
  const std::string help = ExitCodeHelp();
  for (int code = 0; code <= kNoCommonVersion; ++code)
    EXPECT_THAT(help, HasSubstr(std::to_string(code) + " "));
}

}  // namespace
}  // namespace wormhole::cli
