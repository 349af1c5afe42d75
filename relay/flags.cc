#include "relay/flags.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "relay/flag_table.h"

namespace wormhole::relay {
namespace {

// "--name=value" in its parts. `value` is empty when there is none.
struct Argument {
  std::string name;
  std::optional<std::string> value;
};

absl::Status Usage(std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(absl::string_view(what.data(), what.size()), "; see wormhole-relay --help"));
}

// What may stand in an error of one line.
std::string Printable(const std::string& text) {
  constexpr size_t kMost = 100;
  return absl::CHexEscape(text.substr(0, kMost)) + (text.size() > kMost ? "..." : "");
}

absl::StatusOr<Argument> SplitArgument(const std::string& text) {
  if (!text.starts_with("--") || text.size() == 2) {
    return Usage("'" + Printable(text) + "' is not a flag: nothing but flags is expected");
  }
  const size_t equals = text.find('=');
  if (equals == std::string::npos) return Argument{text.substr(2), std::nullopt};
  return Argument{text.substr(2, equals - 2), text.substr(equals + 1)};
}

const Flag* FindFlag(std::string_view name) {
  const auto found =
      std::ranges::find_if(Flags(), [&](const Flag& flag) { return flag.name == name; });
  return found == Flags().end() ? nullptr : &*found;
}

absl::Status ReadFlag(const Flag& flag, const std::string& source, const std::string& value,
                      RelayConfig& config) {
  const absl::Status read = flag.read(value, config);
  if (read.ok()) return read;
  return Usage(absl::StrCat(source, "=", Printable(value), ": ", read.message()));
}

// Whether `next`, the argument behind, was its value.
absl::StatusOr<bool> ReadArgument(const Argument& argument, const std::string* next,
                                  std::set<std::string>& given, RelayConfig& config) {
  const Flag* flag = FindFlag(argument.name);
  if (flag == nullptr) return Usage("unknown flag --" + Printable(argument.name));
  const bool is_switch = flag->value.empty();
  if (!argument.value && !is_switch && next == nullptr) {
    return Usage("--" + argument.name + " needs a value");
  }
  if (!given.insert(argument.name).second) return Usage("--" + argument.name + " is given twice");
  const std::string value = argument.value ? *argument.value : is_switch ? "true" : *next;
  const absl::Status read = ReadFlag(*flag, "--" + argument.name, value, config);
  if (!read.ok()) return read;
  return !argument.value && !is_switch;
}

absl::Status ReadTwins(const Environment& environment, const std::set<std::string>& given,
                       RelayConfig& config) {
  for (const Flag& flag : Flags()) {
    if (given.contains(std::string(flag.name))) continue;
    const std::string twin = EnvironmentTwin(flag.name);
    const std::optional<std::string> value = environment(twin);
    if (!value || value->empty()) continue;
    const absl::Status read = ReadFlag(flag, twin, *value, config);
    if (!read.ok()) return read;
  }
  return absl::OkStatus();
}

// `text` as lines of at most 76 columns behind a margin.
std::string Wrapped(std::string_view text) {
  constexpr size_t kWidth = 76;
  std::string lines;
  size_t column = kWidth;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string word(text.substr(0, end));
    if (column + word.size() + 1 > kWidth) {
      lines += "\n     ";
      column = 6;
    }
    lines += " " + word;
    column += word.size() + 1;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

std::string EnvironmentTwin(std::string_view name) {
  std::string twin = "WORMHOLE_RELAY_";
  for (const char c : name) {
    twin += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return twin;
}

absl::StatusOr<CommandLine> ReadCommandLine(const std::vector<std::string>& args,
                                            const Environment& environment) {
  CommandLine line;
  std::set<std::string> given;
  for (size_t i = 0; i < args.size(); ++i) {
    absl::StatusOr<Argument> argument = SplitArgument(args[i]);
    if (!argument.ok()) return argument.status();
    if (argument->name == "help" || argument->name == "version") {
      (argument->name == "help" ? line.help : line.version) = true;
      continue;
    }
    const bool next_may_be_value = !argument->value && i + 1 < args.size();
    const absl::StatusOr<bool> used_next =
        ReadArgument(*argument, next_may_be_value ? &args[i + 1] : nullptr, given, line.config);
    if (!used_next.ok()) return used_next.status();
    if (*used_next) ++i;
  }
  if (line.help || line.version) return line;
  const absl::Status twins = ReadTwins(environment, given, line.config);
  if (!twins.ok()) return twins;
  const absl::Status valid = Validate(line.config);
  if (!valid.ok()) return Usage(std::string(valid.message()));
  return line;
}

std::string HelpText() {
  const RelayConfig defaults;
  std::string text =
      "wormhole-relay lets two sides that share a short code find each other and passes their\n"
      "sealed frames on. It cannot read them.\n\n"
      "Usage: wormhole-relay [--FLAG=VALUE ...]\n\n"
      "Every flag can also be set in the environment: --channel-ttl-max is\n"
      "WORMHOLE_RELAY_CHANNEL_TTL_MAX. The command line wins. SIGTERM and SIGINT drain and stop;\n"
      "a second one stops at once.\n";
  std::string_view group;
  for (const Flag& flag : Flags()) {
    if (flag.group != group) absl::StrAppend(&text, "\n", std::string(flag.group), ":\n");
    group = flag.group;
    const std::string initial = flag.write(defaults);
    absl::StrAppend(&text, "  --", std::string(flag.name),
                    flag.value.empty() ? "[=true|false]" : "=" + std::string(flag.value));
    if (!initial.empty()) absl::StrAppend(&text, "  (default ", initial, ")");
    absl::StrAppend(&text, Wrapped(flag.help), "\n");
  }
  absl::StrAppend(&text,
                  "\nOther:\n  --help\n      Print this.\n  --version\n      Print the version.\n");
  return text;
}

}  // namespace wormhole::relay
