#include "client/cli/help.h"

#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "client/cli/exit_codes.h"
#include "client/cli/option_table.h"
#include "proto/version/version.h"

namespace wormhole::cli {
namespace {

std::string OptionHelp(const OptionSpec& option) {
  std::string left(option.name);
  if (!option.value.empty()) absl::StrAppend(&left, " ", std::string(option.value));
  std::string out;
  for (absl::string_view line :
       absl::StrSplit(absl::string_view(option.help.data(), option.help.size()), '\n')) {
    absl::StrAppendFormat(&out, "  %-22s %s\n", left, line);
    left.clear();
  }
  return out;
}

std::string GeneralHelp() {
  std::string out =
      "wormhole-sync: two people exchange a short message, end-to-end encrypted, with a code that\n"
      "one tells the other.\n\n"
      "usage: wormhole-sync COMMAND [OPTION...]\n\n";
  for (const CommandSpec& command : CommandTable()) {
    absl::StrAppendFormat(
        &out, "  %-16s %s\n",
        absl::StrCat(std::string(command.name), " ", std::string(command.operand)),
        std::string(command.summary));
  }
  absl::StrAppend(&out,
                  "\nwormhole-sync COMMAND --help lists the options of a command; wormhole-sync "
                  "--version.\n\n"
                  "Standard output carries the other side's data and nothing else; everything for\n"
                  "people goes to standard error. Exit codes:\n",
                  ExitCodeHelp());
  return out;
}

std::string CommandHelp(const CommandSpec& command) {
  std::string usage = absl::StrCat("usage: wormhole-sync ", std::string(command.name));
  if (!command.operand.empty()) absl::StrAppend(&usage, " ", std::string(command.operand));
  std::string out = absl::StrCat(usage, " [OPTION...]\n\n", std::string(command.details), "\n\n");
  for (const OptionSpec& option : OptionTable()) {
    if ((option.commands & command.bit) != 0) out += OptionHelp(option);
  }
  absl::StrAppend(&out, "\nExit codes:\n", ExitCodeHelp());
  return out;
}

}  // namespace

std::string HelpText(std::optional<Command> command) {
  return command.has_value() ? CommandHelp(SpecOf(*command)) : GeneralHelp();
}

std::string VersionText() { return absl::StrCat("wormhole-sync ", kVersion, "\n"); }

}  // namespace wormhole::cli
