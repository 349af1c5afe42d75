#include "relay/config/flags.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "relay/config/flag_check.h"
#include "relay/config/flag_file.h"
#include "relay/config/flag_table.h"

namespace wormhole::relay {
namespace {

constexpr char kFlagFile[] = "flagfile";
const std::set<std::string_view> kNotInFile = {kFlagFile, "help", "version", "print-config"};

// "--name=value" in its parts. `value` is empty when there is none.
struct Argument {
  std::string name;
  std::optional<std::string> value;
};

absl::Status Usage(std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(absl::string_view(what.data(), what.size()), "; see wormhole-relay --help"));
}

// `text` cut and escaped, so that an error with it stays one line.
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

// Reads the three places in the order in which they win: each leaves alone what one before it set.
class Reader {
 public:
  absl::Status ReadArguments(const std::vector<std::string>& args);
  absl::Status ReadEnvironment(const Environment& environment);
  // Reads the file that the arguments or the environment name, if they name one.
  absl::Status ReadFile(const FileReader& read_file);

  CommandLine line;

 private:
  // Returns whether `next`, the argument behind this one, was its value.
  absl::StatusOr<bool> ReadArgument(const Argument& argument, const std::string* next);
  absl::Status ReadFileLine(const FlagLine& flag_line, std::set<std::string>& in_file);
  bool Given(std::string_view name) const { return line.origins.contains(name); }
  // `shown`: how the error names flag and place.
  absl::Status Take(const Flag& flag, const std::string& value, const std::string& shown,
                    const std::string& origin);

  std::optional<std::string> file_;
};

absl::Status Reader::Take(const Flag& flag, const std::string& value, const std::string& shown,
                          const std::string& origin) {
  line.origins.emplace(flag.name, origin);
  const absl::Status read = flag.read(value, line.config);
  if (read.ok()) return read;
  return Usage(absl::StrCat(shown, "=", Printable(value), ": ", read.message()));
}

absl::StatusOr<bool> Reader::ReadArgument(const Argument& argument, const std::string* next) {
  const bool is_file = argument.name == kFlagFile;
  const Flag* flag = FindFlag(argument.name);
  if (flag == nullptr && !is_file) return Usage("unknown flag --" + Printable(argument.name));
  const bool is_switch = !is_file && flag->value.empty();
  if (!argument.value && !is_switch && next == nullptr) {
    return Usage("--" + argument.name + " needs a value");
  }
  if (is_file ? file_.has_value() : Given(argument.name)) {
    return Usage("--" + argument.name + " is given twice");
  }
  const std::string value = argument.value ? *argument.value : is_switch ? "true" : *next;
  if (is_file) {
    file_ = value;
  } else {
    const absl::Status taken = Take(*flag, value, "--" + argument.name, "command line");
    if (!taken.ok()) return taken;
  }
  return !argument.value && !is_switch;
}

absl::Status Reader::ReadArguments(const std::vector<std::string>& args) {
  const std::map<std::string, bool*> alone = {
      {"help", &line.help}, {"version", &line.version}, {"print-config", &line.print_config}};
  for (size_t i = 0; i < args.size(); ++i) {
    absl::StatusOr<Argument> argument = SplitArgument(args[i]);
    if (!argument.ok()) return argument.status();
    if (const auto found = alone.find(argument->name); found != alone.end()) {
      if (argument->value) return Usage("--" + argument->name + " takes no value");
      *found->second = true;
      continue;
    }
    const bool next_may_be_value = !argument->value && i + 1 < args.size();
    const absl::StatusOr<bool> used_next =
        ReadArgument(*argument, next_may_be_value ? &args[i + 1] : nullptr);
    if (!used_next.ok()) return used_next.status();
    if (*used_next) ++i;
  }
  return absl::OkStatus();
}

absl::Status Reader::ReadEnvironment(const Environment& environment) {
  const std::optional<std::string> file = environment(EnvironmentTwin(kFlagFile));
  if (!file_ && file && !file->empty()) file_ = file;
  for (const Flag& flag : Flags()) {
    if (Given(flag.name)) continue;
    const std::string twin = EnvironmentTwin(flag.name);
    const std::optional<std::string> value = environment(twin);
    if (!value || value->empty()) continue;
    const absl::Status taken = Take(flag, *value, twin, twin);
    if (!taken.ok()) return taken;
  }
  return absl::OkStatus();
}

absl::Status Reader::ReadFileLine(const FlagLine& flag_line, std::set<std::string>& in_file) {
  const std::string place = absl::StrCat(absl::CHexEscape(*file_), ":", flag_line.number);
  const std::string shown = absl::StrCat(place, ": ", Printable(flag_line.name));
  const Flag* flag = FindFlag(flag_line.name);
  if (kNotInFile.contains(flag_line.name)) return Usage(shown + " has no place in a flag file");
  if (flag == nullptr) return Usage(shown + " is an unknown flag");
  if (!flag_line.value && !flag->value.empty()) return Usage(shown + " needs a value");
  if (!in_file.insert(flag_line.name).second) return Usage(shown + " is given twice");
  if (Given(flag_line.name)) return absl::OkStatus();
  return Take(*flag, flag_line.value.value_or("true"), shown, place);
}

absl::Status Reader::ReadFile(const FileReader& read_file) {
  if (!file_) return absl::OkStatus();
  const absl::StatusOr<std::string> text = read_file(*file_);
  if (!text.ok()) {
    return Usage(
        absl::StrCat("--flagfile=", absl::CHexEscape(*file_), ": ", text.status().message()));
  }
  const absl::StatusOr<std::vector<FlagLine>> lines = ParseFlagFile(*text);
  if (!lines.ok())
    return Usage(absl::StrCat(absl::CHexEscape(*file_), ":", lines.status().message()));
  std::set<std::string> in_file;
  for (const FlagLine& flag_line : *lines) {
    const absl::Status read = ReadFileLine(flag_line, in_file);
    if (!read.ok()) return read;
  }
  return absl::OkStatus();
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
                                            const Environment& environment,
                                            const FileReader& read_file) {
  Reader reader;
  absl::Status read = reader.ReadArguments(args);
  if (read.ok() && (reader.line.help || reader.line.version)) return std::move(reader.line);
  if (read.ok()) read = reader.ReadEnvironment(environment);
  if (read.ok()) read = reader.ReadFile(read_file);
  if (!read.ok()) return read;
  const absl::Status valid = CheckTogether(reader.line.config);
  if (!valid.ok()) return Usage(std::string(valid.message()));
  return std::move(reader.line);
}

}  // namespace wormhole::relay
