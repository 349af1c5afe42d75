// From the command line to the library's options.
#ifndef WORMHOLE_CLIENT_CLI_EXCHANGE_OPTIONS_H_
#define WORMHOLE_CLIENT_CLI_EXCHANGE_OPTIONS_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/cli/arguments.h"
#include "client/cli/console.h"
#include "client/cli/interrupt.h"
#include "wormhole/wormhole.h"

namespace wormhole::cli {

// Reads the files with credentials; INVALID_ARGUMENT when one of them is no use. The caller sets
// hooks and the client.
absl::StatusOr<Options> MakeOptions(const Arguments& arguments, Console& console,
                                    Interrupt& interrupt);

// The command that goes on from the state file, for a shell: with the options that are not in it.
std::string ResumeCommand(const Arguments& arguments);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_EXCHANGE_OPTIONS_H_
