#include "tests/simulation/outcome_judge.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "absl/strings/str_cat.h"
#include "wormhole/outcome.h"

namespace wormhole::simulation {
namespace {

// What may come of each trouble. Of a relay that forgets everything may.
struct Explanation {
  Excuse excuse;
  Reason reason;
};
constexpr Explanation kExplanations[] = {
    {Excuse::kWrongCode, Reason::kWrongCode},
    {Excuse::kWrongCode, Reason::kNoSuchCode},
    // The close that tells the other side is tried for a few seconds only.
    {Excuse::kWrongCode, Reason::kTimeout},
    // Or comes when the channel's rest is over.
    {Excuse::kWrongCode, Reason::kUnproven},

    {Excuse::kRival, Reason::kWrongCode},
    {Excuse::kRival, Reason::kCrowded},
    {Excuse::kRival, Reason::kNoSuchCode},
    {Excuse::kRival, Reason::kPeerGaveUp},
    {Excuse::kRival, Reason::kAborted},
    {Excuse::kRival, Reason::kTimeout},
    {Excuse::kRival, Reason::kStaleState},
    {Excuse::kRival, Reason::kUnproven},
    {Excuse::kRival, Reason::kPeerUnfinished},

    {Excuse::kStale, Reason::kStaleState},
    {Excuse::kStale, Reason::kNoSuchCode},
    {Excuse::kStale, Reason::kPeerGaveUp},
    {Excuse::kStale, Reason::kAborted},
    {Excuse::kStale, Reason::kTimeout},
    {Excuse::kStale, Reason::kCrowded},
    {Excuse::kStale, Reason::kTaken},
    {Excuse::kStale, Reason::kWrongCode},
    {Excuse::kStale, Reason::kUnproven},

    {Excuse::kGaveUp, Reason::kCancelled},
    {Excuse::kGaveUp, Reason::kTimeout},
    {Excuse::kGaveUp, Reason::kUnreachable},
    {Excuse::kGaveUp, Reason::kPeerGaveUp},
    {Excuse::kGaveUp, Reason::kAborted},
    {Excuse::kGaveUp, Reason::kSaveFailed},
    {Excuse::kGaveUp, Reason::kNoSuchCode},
    {Excuse::kGaveUp, Reason::kUnproven},

    {Excuse::kTwin, Reason::kInUseElsewhere},
    {Excuse::kTwin, Reason::kStaleState},
    {Excuse::kTwin, Reason::kNoSuchCode},
    {Excuse::kTwin, Reason::kPeerGaveUp},
    {Excuse::kTwin, Reason::kAborted},
    {Excuse::kTwin, Reason::kTimeout},
    {Excuse::kTwin, Reason::kUnproven},

    {Excuse::kExpiry, Reason::kNoSuchCode},
    {Excuse::kExpiry, Reason::kTimeout},
    {Excuse::kExpiry, Reason::kUnproven},
};

class Judgement {
 public:
  Judgement(const PairPlan& pair, const std::vector<Ended>& ended) : pair_(pair), ended_(ended) {}

  std::vector<std::string> Run() {
    for (const Ended& one : ended_) {
      CheckCore(one);
      CheckFailures(one);
      CheckGuesses(one);
      CheckData(one);
    }
    CheckPairing();
    CheckFinished();
    return std::move(wrong_);
  }

 private:
  template <typename... Parts>
  void Raise(const Ended& one, const Parts&... parts) {
    wrong_.push_back(absl::StrCat(one.name, ": ", parts...));
  }

  static bool GotData(const Ended& one) { return !one.client->report().data.empty(); }
  static const std::string& OwnData(const Ended& one) { return one.client->plan().config.data; }

  // What holds for each client by itself.
  void CheckCore(const Ended& one) {
    const ClientReport& report = one.client->report();
    for (const std::string& wrong : report.wrongs) Raise(one, wrong);
    if (!report.over) Raise(one, "never ends");
    const bool told = !report.data.empty() || !report.failures.empty() || report.killed;
    if (report.over && !told) Raise(one, "ended without a word");
    const bool keeps_all = one.client->plan().hook && !report.went_back;
    if (keeps_all && report.codes.size() > 1) Raise(one, "has two codes");
    if (keeps_all && report.verifiers.size() > 1) Raise(one, "has two verifiers");
    if (keeps_all && report.failed_after_data) Raise(one, "has had data, and fails");
    if (keeps_all && report.failed_before_data && !pair_.Excused(Excuse::kGaveUp)) {
      Raise(one, "has failed, and has data");
    }
  }

  // A failure has a reason that this pair's troubles explain.
  void CheckFailures(const Ended& one) {
    for (const absl::Status& failure : one.client->report().failures) {
      const Reason reason = ReasonOf(failure);
      if (reason == Reason::kNone) {
        Raise(one, "fails without a reason: ", failure.ToString());
      } else if (IsSpent(failure)) {
        CheckSpent(one);
      } else if (!Explained(reason)) {
        Raise(one, "fails without need: ", failure.ToString());
      } else if (reason == Reason::kUnproven && one.initiator) {
        Raise(one, "wants a proof, and has given nobody an answer");
      }
    }
  }

  // The refusal to restore a state that is burnt.
  static bool IsSpent(const absl::Status& failure) {
    return ReasonOf(failure) == Reason::kWrongCode && absl::IsFailedPrecondition(failure);
  }

  // What has used it up is saved with it, and needs an explanation as if it had been told.
  void CheckSpent(const Ended& one) {
    const std::optional<Reason> cause = one.client->report().spent_on;
    const bool burns = cause == Reason::kWrongCode || cause == Reason::kForged ||
                       (cause == Reason::kUnproven && !one.initiator);
    if (!burns) return Raise(one, "is used up, and does not know by what");
    if (!Explained(*cause)) {
      Raise(one, "is used up without need, for reason ", static_cast<int>(*cause));
    }
  }

  bool Explained(Reason reason) const {
    if (pair_.Excused(Excuse::kForgetting)) {
      return reason != Reason::kInternal && reason != Reason::kInvalidArgument;
    }
    return std::any_of(std::begin(kExplanations), std::end(kExplanations),
                       [&](const Explanation& explanation) {
                         return explanation.reason == reason && pair_.Excused(explanation.excuse);
                       });
  }

  void CheckGuesses(const Ended& one) {
    if (one.client->report().went_back) return;  // "may allow one more guess"
    if (!one.client->plan().hook && one.client->report().crashes > 0) return;
    // A relay that has forgotten the channel may hand it another one's first frame then.
    if (one.guesses > 1 + one.client->report().lost_guesses) {
      Raise(one, "was handed ", one.guesses, " guesses at its code");
    }
  }

  // Whoever has data has the data of somebody with the same code, in the other role.
  void CheckData(const Ended& one) {
    for (const std::string& data : one.client->report().data) {
      const bool right = std::any_of(ended_.begin(), ended_.end(), [&](const Ended& other) {
        return one.initiator != other.initiator && other.same_code && OwnData(other) == data;
      });
      if (!right || !one.same_code) Raise(one, "has data that is not its peer's");
      if (data != one.client->report().data.front()) Raise(one, "has two different data");
    }
  }

  // Of several receivers one at most has the data, and it is the one whose data the initiator has.
  void CheckPairing() {
    const Ended* chosen = nullptr;
    for (const Ended& one : ended_) {
      if (one.initiator || !GotData(one)) continue;
      if (chosen != nullptr && OwnData(*chosen) != OwnData(one)) {
        Raise(one, "has data although another receiver has");
      }
      chosen = &one;
    }
    if (chosen == nullptr) return;
    const ClientReport& initiator = ended_.front().client->report();
    const ClientReport& receiver = chosen->client->report();
    if (!initiator.data.empty() && initiator.data.front() != OwnData(*chosen)) {
      Raise(*chosen, "is paired with one who has another's data");
    }
    if (initiator.data.empty()) return;
    if (initiator.verifiers != receiver.verifiers && !initiator.went_back && !receiver.went_back) {
      Raise(*chosen, "has another verifier than its peer");
    }
    if (initiator.derived_keys != receiver.derived_keys && !initiator.went_back &&
        !receiver.went_back) {
      Raise(*chosen, "derives another key than its peer");
    }
  }

  // With nothing in the way both have finished.
  void CheckFinished() {
    if (pair_.excuses != 0) return;
    if (ended_.size() < 2) {
      return Raise(ended_.front(), "never had a code to give");
    }
    for (const Ended& one : ended_) {
      if (!GotData(one)) Raise(one, "has no data, though nothing was in the way");
    }
  }

  const PairPlan& pair_;
  const std::vector<Ended>& ended_;
  std::vector<std::string> wrong_;
};

}  // namespace

std::vector<std::string> JudgeOutcome(const PairPlan& pair, const std::vector<Ended>& ended) {
  return Judgement(pair, ended).Run();
}

}  // namespace wormhole::simulation
