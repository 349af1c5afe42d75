#include "client/cli/arguments.h"

#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/option_table.h"
#include "client/core/code.h"
#include "client/core/failure.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {
namespace {

absl::Status UsageError(std::string_view message) {
  return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument, message);
}

std::string SeeHelp(const CommandSpec& command) {
  return absl::StrCat("see `wormhole-sync ", std::string(command.name), " --help`");
}

const OptionSpec* FindOption(std::string_view name) {
  for (const OptionSpec& option : OptionTable()) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

// The commands that take `option`, for a message: "initiate and receive".
std::string CommandsOf(const OptionSpec& option) {
  std::string names;
  for (const CommandSpec& command : CommandTable()) {
    if ((option.commands & command.bit) == 0) continue;
    absl::StrAppend(&names, names.empty() ? "" : " and ", std::string(command.name));
  }
  return names;
}

// Reads the words that follow a command.
class WordReader {
 public:
  WordReader(const CommandSpec& command, const std::vector<std::string>& words)
      : command_(command), words_(words) {
    arguments_.command = command.command;
  }

  absl::StatusOr<Arguments> Read() {
    bool only_operands = false;
    for (next_ = 1; next_ < words_.size();) {
      const std::string& word = words_[next_++];
      absl::Status status;
      const bool between_words = word == "-" && code_in_operands_;
      if (only_operands || word.empty() || word[0] != '-' || between_words) {
        status = TakeOperand(word);
      } else if (word == "--") {
        only_operands = true;
      } else if (word == "--help" || word == "-h") {
        arguments_.action = Action::kHelp;
        return arguments_;
      } else if (word == "--version") {
        arguments_.action = Action::kVersion;
        return arguments_;
      } else {
        status = TakeOption(word);
      }
      if (!status.ok()) return status;
    }
    return arguments_;
  }

 private:
  absl::Status TakeOperand(const std::string& word) {
    const bool file = command_.command == Command::kResume;
    std::string& place = file ? arguments_.state : arguments_.code;
    // People say a code in words, and type it so: `receive 4 able zoo`.
    const bool goes_on = !file && code_in_operands_;
    if (command_.operand.empty() || (!place.empty() && !goes_on)) {
      return UsageError(absl::StrCat("`", word, "` is one argument too many; quote a value with ",
                                     "spaces, and ", SeeHelp(command_)));
    }
    if (word.empty()) {
      return UsageError(absl::StrCat("an empty argument is no ", file ? "state file" : "code"));
    }
    code_in_operands_ = !file;
    absl::StrAppend(&place, place.empty() ? "" : " ", word);
    return absl::OkStatus();
  }

  absl::Status TakeOption(const std::string& word) {
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const OptionSpec* option = FindOption(name);
    if (option == nullptr) {
      return UsageError(absl::StrCat("there is no option ", name, "; ", SeeHelp(command_)));
    }
    if ((option->commands & command_.bit) == 0) {
      return UsageError(absl::StrCat(name, " is an option of ", CommandsOf(*option), ", not of ",
                                     std::string(command_.name)));
    }
    if (!seen_.insert(option->name).second) {
      return UsageError(absl::StrCat(name, " is given twice; give it once"));
    }
    std::string value;
    if (option->value.empty()) {
      if (equals != std::string::npos) {
        return UsageError(absl::StrCat(name, " takes no value; leave out what follows it"));
      }
    } else if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (next_ < words_.size()) {
      value = words_[next_++];
    } else {
      return UsageError(
          absl::StrCat(name, " needs a value: ", name, " ", std::string(option->value)));
    }
    absl::Status applied = option->apply(value, arguments_);
    if (applied.ok()) return applied;
    return UsageError(absl::StrCat(name, ": ", applied.message()));
  }

  const CommandSpec& command_;
  const std::vector<std::string>& words_;
  size_t next_ = 0;
  std::set<std::string_view> seen_;
  bool code_in_operands_ = false;
  Arguments arguments_;
};

absl::Status CheckCredentials(const Arguments& arguments) {
  const bool tls = !arguments.tls_ca.empty() || !arguments.tls_cert.empty();
  if (arguments.tls_cert.empty() != arguments.tls_key.empty()) {
    return UsageError("--tls-cert and --tls-key belong together: give both or none");
  }
  if (arguments.plaintext && tls) {
    return UsageError("--plaintext and --tls-... exclude each other: leave one out");
  }
  return absl::OkStatus();
}

// Checks what depends on more than one option.
absl::Status CheckTogether(Arguments& arguments) {
  if (arguments.data.has_value() && !arguments.file.empty()) {
    return UsageError("--data and --file exclude each other: leave one out");
  }
  if (arguments.ttl.has_value() &&
      *arguments.ttl < arguments.timeout.value_or(absl::Seconds(180))) {
    return UsageError(
        "--ttl is shorter than the timeout, so that the channel would vanish under a waiting "
        "side; raise --ttl or lower --timeout");
  }
  if (arguments.command == Command::kResume) {
    if (arguments.state.empty()) {
      return UsageError("resume needs the state file: wormhole-sync resume FILE");
    }
  } else if (arguments.keep_state && arguments.state.empty()) {
    return UsageError("--keep-state needs --state FILE");
  }
  absl::Status credentials = CheckCredentials(arguments);
  if (!credentials.ok() || arguments.code.empty()) return credentials;
  return TakeCode(arguments.code, arguments);
}

absl::StatusOr<Arguments> ParseWithoutCommand(const std::string& word) {
  Arguments arguments;
  if (word == "--help" || word == "-h" || word == "help") {
    arguments.action = Action::kHelp;
    return arguments;
  }
  if (word == "--version") {
    arguments.action = Action::kVersion;
    return arguments;
  }
  return UsageError(absl::StrCat("`", word, "` is no command; use initiate, receive or resume, ",
                                 "and see `wormhole-sync --help`"));
}

}  // namespace

bool ReadsDataFromStdin(const Arguments& arguments) {
  return arguments.command != Command::kResume && !arguments.data.has_value() &&
         arguments.file.empty();
}

absl::Status TakeCode(std::string_view typed, Arguments& arguments) {
  absl::StatusOr<core::Code> code = core::ParseCode(typed, arguments.allow_other_words);
  if (!code.ok()) return UsageError(std::string(code.status().message()));
  arguments.code = code->ToString();
  if (arguments.words == 0) return absl::OkStatus();
  if (arguments.command == Command::kInitiate) {
    return UsageError("--words and --code exclude each other: the code has its words");
  }
  size_t count = 1;
  for (char c : code->words) count += c == '-';
  if (count == arguments.words) return absl::OkStatus();
  return UsageError(absl::StrCat("the code has ", count, " words and --words says ",
                                 arguments.words, "; check the code with the other side"));
}

absl::StatusOr<Arguments> ParseArguments(const std::vector<std::string>& words) {
  if (words.empty()) {
    return UsageError("which command? Use initiate, receive or resume; see `wormhole-sync --help`");
  }
  for (const CommandSpec& command : CommandTable()) {
    if (words[0] != command.name) continue;
    absl::StatusOr<Arguments> arguments = WordReader(command, words).Read();
    if (!arguments.ok() || arguments->action != Action::kRun) return arguments;
    if (absl::Status checked = CheckTogether(*arguments); !checked.ok()) return checked;
    return arguments;
  }
  return ParseWithoutCommand(words[0]);
}

}  // namespace wormhole::cli
