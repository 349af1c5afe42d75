#include "relay/config/flag_help.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "relay/config/flag_file.h"
#include "relay/config/flag_table.h"

namespace wormhole::relay {
namespace {

constexpr std::string_view kAbout =
    "wormhole-relay lets two sides that share a short code find each other and passes their\n"
    "sealed frames on. It cannot read them.\n\n"
    "Usage: wormhole-relay [--FLAG=VALUE ...]\n\n"
    "Every flag can also be set in the environment, --channel-ttl-max as\n"
    "WORMHOLE_RELAY_CHANNEL_TTL_MAX, and in a file of --flagfile. The command line wins over the\n"
    "environment, the environment over the file. Secrets come from files only.\n\n"
    "TIME is a number with a unit, ms, s, m, h or d: 90s, 1h30m, 7d. A switch alone is true.\n"
    "SIGTERM and SIGINT drain and stop; a second one stops at once.\n";

constexpr std::string_view kOther =
    "\nCommands:\n"
    "  make-token   Print a new bearer token, a secret: 32 random bytes as 43 characters.\n"
    "  hash-token   Read one on standard input and print its line for --tokens-file, which\n"
    "               has its hash alone. May be given what the token is for and its app-id,\n"
    "               else it is for allocate,claim and *:\n"
    "               wormhole-relay make-token | tee alice.token |\n"
    "               wormhole-relay hash-token allocate 'example.com/*' >>tokens\n"
    "\nOther:\n"
    "  --flagfile=FILE  (not set by default)\n"
    "      Read flags from FILE, one NAME=VALUE a line, with or without the dashes. A\n"
    "      value that needs it stands in double quotes, with C's escapes. A line that\n"
    "      begins with # is a comment. At most 1 MiB.\n"
    "  --print-config\n"
    "      Print every value that is in effect and where it comes from, as a file for\n"
    "      --flagfile, and exit.\n"
    "  --help\n"
    "      Print this.\n"
    "  --version\n"
    "      Print the version.\n";

// `text` as lines of at most 76 columns, each behind `margin`.
std::string Wrapped(std::string_view text, std::string_view margin) {
  constexpr size_t kWidth = 76;
  std::string lines;
  size_t column = kWidth;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string word(text.substr(0, end));
    if (column + word.size() + 1 > kWidth) {
      lines += "\n" + std::string(margin);
      column = margin.size() + 1;
    }
    lines += " " + word;
    column += word.size() + 1;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string DefaultOf(const Flag& flag) {
  const std::string value = flag.write(RelayConfig{});
  return value.empty() ? "not set by default" : "default " + value;
}

std::string OriginOf(const Flag& flag, const CommandLine& line) {
  const auto origin = line.origins.find(flag.name);
  return origin == line.origins.end() ? "default" : origin->second;
}

}  // namespace

std::string HelpText() {
  std::string text(kAbout);
  for (const FlagGroup& group : FlagGroups()) {
    absl::StrAppend(&text, "\n", std::string(group.name), ":", Wrapped(group.about, " "), "\n");
    for (const Flag& flag : Flags()) {
      if (flag.group != group.name) continue;
      absl::StrAppend(&text, "  --", std::string(flag.name),
                      flag.value.empty() ? "[=true|false]" : "=" + std::string(flag.value), "  (",
                      DefaultOf(flag), ")", Wrapped(flag.help, "     "), "\n");
    }
  }
  return text + std::string(kOther);
}

std::string PrintConfig(const CommandLine& line) {
  constexpr size_t kCommentColumn = 40;
  std::string text =
      "# Every flag of wormhole-relay as it is in effect, and where its value comes "
      "from.\n";
  for (const FlagGroup& group : FlagGroups()) {
    absl::StrAppend(&text, "\n# ", std::string(group.name), "\n");
    for (const Flag& flag : Flags()) {
      if (flag.group != group.name) continue;
      const std::string value = flag.write(line.config);
      std::string setting = absl::StrCat(value.empty() ? "# --" : "--", std::string(flag.name), "=",
                                         QuoteFlagValue(value));
      setting.resize(std::max(setting.size(), kCommentColumn), ' ');
      absl::StrAppend(&text, setting, "  # ", OriginOf(flag, line), "\n");
    }
  }
  return text;
}

}  // namespace wormhole::relay
