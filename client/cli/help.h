// The texts of --help and --version. Pure.
#ifndef WORMHOLE_CLIENT_CLI_HELP_H_
#define WORMHOLE_CLIENT_CLI_HELP_H_

#include <optional>
#include <string>

#include "client/cli/arguments.h"

namespace wormhole::cli {

// Of the whole tool, or of one command.
std::string HelpText(std::optional<Command> command);
std::string VersionText();

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_HELP_H_
