// `wormhole-relay make-token` and `hash-token`: what goes into --tokens-file.
#ifndef WORMHOLE_RELAY_TOKEN_COMMAND_H_
#define WORMHOLE_RELAY_TOKEN_COMMAND_H_

#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace wormhole::relay {

// Whether the command line begins with one of them.
bool IsTokenCommand(const std::vector<std::string>& args);

// make-token writes a token to `out`. hash-token [USES [APP-ID]] reads one from `in`, since every
// user of the machine can read a command line, and writes its line for the file. INVALID_ARGUMENT,
// without the token, when something is not as it should be; then nothing is written. UNAVAILABLE
// when this machine has no randomness, or `out` fails.
absl::Status RunTokenCommand(const std::vector<std::string>& args, std::istream& in,
                             std::ostream& out);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_TOKEN_COMMAND_H_
