#include "client/cli/exit_codes.h"

#include "absl/strings/str_cat.h"

namespace wormhole::cli {
namespace {

struct Row {
  Reason reason;
  ExitCode code;
  std::string_view next_step;
};

// The messages of the library say what to do; what is added here are names of options.
constexpr Row kTable[] = {
    {Reason::kInvalidArgument, kUsage, ""},
    {Reason::kWrongCode, kWrongCode, ""},
    {Reason::kTimeout, kTimedOut, "see --timeout"},
    {Reason::kUnreachable, kNoRelay, "see --rendezvous, --tls-ca and --plaintext"},
    {Reason::kRefused, kNoRelay, ""},
    {Reason::kCrowded, kOccupied, ""},
    {Reason::kTaken, kOccupied, "see --code"},
    {Reason::kNoSuchCode, kNoSuchCode, "compare --rendezvous and --app-id with the other side too"},
    {Reason::kPeerGaveUp, kGaveUp, ""},
    {Reason::kAborted, kGaveUp, ""},
    {Reason::kCancelled, kGaveUp, ""},
    {Reason::kStaleState, kStaleState, ""},
    {Reason::kInUseElsewhere, kStaleState, ""},
    {Reason::kSaveFailed, kLocal, ""},
    {Reason::kBlockingCall, kLocal, ""},
    {Reason::kInternal, kLocal, ""},
    {Reason::kForged, kForged, ""},
    {Reason::kNoCommonVersion, kNoCommonVersion, ""},
    {Reason::kPeerUnfinished, kGaveUp, ""},
    {Reason::kUnproven, kWrongCode, ""},
    {Reason::kForked, kLocal, ""},
    {Reason::kNotAuthorized, kNoRelay, "see --bearer-token-file"},
};

const Row* Find(Reason reason) {
  for (const Row& row : kTable) {
    if (row.reason == reason) return &row;
  }
  return nullptr;
}

}  // namespace

ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return kDone;
  const Row* row = Find(ReasonOf(status));
  return row == nullptr ? kLocal : row->code;
}

bool MayGoOn(Reason reason) { return reason == Reason::kSaveFailed || reason == Reason::kNone; }

std::string_view NextStep(Reason reason) {
  const Row* row = Find(reason);
  return row == nullptr ? "" : row->next_step;
}

std::string Explanation(const absl::Status& status) {
  const std::string next_step(NextStep(ReasonOf(status)));
  if (next_step.empty()) return std::string(status.message());
  return absl::StrCat(status.message(), " (", next_step, ")");
}

std::string ExitCodeHelp() {
  return "  0 done                   6 two others use this code, or its number is taken\n"
         "  1 this machine failed    7 no such code: never given out, closed, expired\n"
         "  2 wrong usage            8 the other side or you gave up\n"
         "  3 wrong code, a guess    9 the state file is stale, spent or in use elsewhere\n"
         "  4 timed out             10 a message was forged\n"
         "  5 no relay, or refused  11 no common version: update the older program\n";
}

}  // namespace wormhole::cli
