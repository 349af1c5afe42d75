// How a client under test has ended, in classes that do not depend on whose client it is.
#ifndef WORMHOLE_TESTS_CONFORMANCE_OUTCOME_H_
#define WORMHOLE_TESTS_CONFORMANCE_OUTCOME_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace wormhole::conformance {

enum class Outcome {
  kDone,        // the other side's data is on standard output
  kLocal,       // this machine, or the client itself, failed
  kUsage,       // it was called in a way that it does not know
  kWrongCode,   // the codes differ, or somebody guessed
  kTimedOut,    // its own timeout
  kNoRelay,     // the relay was not reached, or it refused
  kOccupied,    // crowded or taken
  kNoSuchCode,  // never allocated, closed, expired
  kGaveUp,      // the other side left, failed or was cancelled
  kStale,       // the state is old, or in use elsewhere
  kForged,      // a message was not genuine after the key was confirmed
  kNoVersion,   // no version of the protocol in common
  kFailed,      // it failed, and does not say how
};

using Outcomes = std::set<Outcome>;

std::string_view NameOf(Outcome outcome);
std::string NamesOf(const Outcomes& outcomes);

// From exit codes. `wormhole-sync`'s unless it is read from text.
class ExitCodes {
 public:
  ExitCodes();
  // "0=done,3=wrong-code,*=failed"; nothing when it cannot be read. A code that is not named is
  // `*`, and without that `local`.
  static std::optional<ExitCodes> Read(std::string_view text);

  Outcome Of(int exit_code) const;

 private:
  std::map<int, Outcome> codes_;
  Outcome other_ = Outcome::kLocal;
};

// `failed` counts as any failure: such a client does not say more.
bool Meets(Outcome outcome, const Outcomes& expected);

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_OUTCOME_H_
