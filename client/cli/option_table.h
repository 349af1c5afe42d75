// All options of the tool, in one table from which the parser and the help work. Pure.
#ifndef WORMHOLE_CLIENT_CLI_OPTION_TABLE_H_
#define WORMHOLE_CLIENT_CLI_OPTION_TABLE_H_

#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "client/cli/arguments.h"

namespace wormhole::cli {

// Bits for the commands that take an option.
inline constexpr unsigned kForInitiate = 1;
inline constexpr unsigned kForReceive = 2;
inline constexpr unsigned kForResume = 4;

struct OptionSpec {
  std::string_view name;   // with its dashes
  std::string_view value;  // what the help calls its value; empty: takes none
  unsigned commands;
  // Checks the value and stores it. The status does not repeat the option's name.
  absl::Status (*apply)(std::string_view value, Arguments& arguments);
  std::string_view help;  // lines of at most 70 columns
};

std::span<const OptionSpec> OptionTable();

struct CommandSpec {
  std::string_view name;
  Command command;
  unsigned bit;
  std::string_view operand;  // what the help calls it; empty: takes none
  std::string_view summary;  // one line
  std::string_view details;  // lines for its own help
};

std::span<const CommandSpec> CommandTable();
const CommandSpec& SpecOf(Command command);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_OPTION_TABLE_H_
