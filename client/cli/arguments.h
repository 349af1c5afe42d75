// What the command line asks for. Pure: no files, no environment, no terminal.
#ifndef WORMHOLE_CLIENT_CLI_ARGUMENTS_H_
#define WORMHOLE_CLIENT_CLI_ARGUMENTS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wormhole/schedule.h"

namespace wormhole::cli {

// Scopes the codes of people who use the tool without --app-id: a name under a domain that no other
// program of theirs will use by accident.
inline constexpr char kDefaultAppId[] = "wormhole-sync/cli";

enum class Command { kInitiate, kReceive, kResume };
enum class Action { kRun, kHelp, kVersion };

struct Arguments {
  Action action = Action::kRun;
  // Empty only for --help and --version without a command.
  std::optional<Command> command;

  std::string app_id = kDefaultAppId;
  std::string rendezvous;           // empty: the environment's or the baked-in one
  std::optional<std::string> data;  // --data; at most one of data and file
  std::string file;                 // --file; empty with no data: standard input
  size_t words = 0;                 // 0: not given
  std::string code;                 // in its canonical form; empty: none
  bool allow_other_words = false;
  bool wait = false;
  bool check_in = false;
  std::optional<absl::Duration> timeout;
  std::optional<absl::Duration> ttl;
  std::optional<Schedule> schedule;
  std::string state;  // --state of initiate and receive, FILE of resume; empty: none
  bool keep_state = false;
  bool verify = false;
  bool qr = false;
  bool plaintext = false;
  bool verbose = false;
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  std::string bearer_token_file;
};

// Whether the data for the peer comes from standard input. Never for resume.
bool ReadsDataFromStdin(const Arguments& arguments);

// `words` are those of argv without the program's name. INVALID_ARGUMENT with one line that says
// what is wrong and what to write instead. Checks all that the words alone can show to be wrong.
absl::StatusOr<Arguments> ParseArguments(const std::vector<std::string>& words);

// Puts a code that somebody typed at the prompt into `arguments`. INVALID_ARGUMENT when it is none,
// or does not go with the other options. ParseArguments has done the same for a code in argv.
absl::Status TakeCode(std::string_view typed, Arguments& arguments);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_ARGUMENTS_H_
