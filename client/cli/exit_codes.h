// How the tool ends. Pure.
#ifndef WORMHOLE_CLIENT_CLI_EXIT_CODES_H_
#define WORMHOLE_CLIENT_CLI_EXIT_CODES_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {

enum ExitCode : int {
  kDone = 0,
  kLocal = 1,  // something on this machine failed: a full disk, a closed standard output
  kUsage = 2,
  kWrongCode = 3,  // or somebody tested the code and did not prove that he knows it
  kTimedOut = 4,
  kNoRelay = 5,     // unreachable, or it refused
  kOccupied = 6,    // two others have this channel, or the id asked for is in use
  kNoSuchCode = 7,  // never allocated, closed, expired
  kGaveUp = 8,      // the peer or the user
  kStaleState = 9,  // the state file is stale, spent, or in use elsewhere
  kForged = 10,     // a message was not genuine, though the other side had the code: an attack
  kNoCommonVersion = 11,
};

// Without a reason (kNone): kDone for an OK status, kLocal for one that is not the library's.
ExitCode ExitCodeOf(const absl::Status& status);

// Whether a saved exchange that ended so can go on. All other failures are in the saved state: a
// resumed exchange would only repeat them.
bool MayGoOn(Reason reason);

// The options to try, without a full stop; empty when the message has it all.
std::string_view NextStep(Reason reason);

// One line for people: the message, and the next step.
std::string Explanation(const absl::Status& status);

// The exit codes for the help, a line each.
std::string ExitCodeHelp();

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_EXIT_CODES_H_
