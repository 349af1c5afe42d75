// What a state file holds: the library's state and what the tool itself has to remember. Pure.
#ifndef WORMHOLE_CLIENT_CLI_SAVED_SESSION_H_
#define WORMHOLE_CLIENT_CLI_SAVED_SESSION_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "client/cli/secret_text.h"

namespace wormhole::cli {

struct SavedSession {
  bool verify = false;     // --verify was given: a resume has to ask as well
  std::string_view state;  // what the save hook got; a secret of somebody else's
};

// One line of ours, then the state as it is.
SecretText EncodeSession(const SavedSession& session);

// Takes hostile input. INVALID_ARGUMENT when `text` does not begin with a line that EncodeSession
// makes; the state, which is part of `text`, is the library's to check.
absl::StatusOr<SavedSession> DecodeSession(std::string_view text);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_SAVED_SESSION_H_
