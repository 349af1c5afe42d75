// One exchange as people see it, from the first progress line to the exit code.
#ifndef WORMHOLE_CLIENT_CLI_SESSION_H_
#define WORMHOLE_CLIENT_CLI_SESSION_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/arguments.h"
#include "client/cli/console.h"
#include "client/cli/events.h"
#include "client/cli/exit_codes.h"
#include "client/cli/interrupt.h"
#include "client/cli/state_file.h"
#include "client/cli/terminal.h"
#include "wormhole/wormhole.h"

namespace wormhole::cli {

// Runs on the main thread: waits for the library's events, for signals and for answers at once.
class Session {
 public:
  // All references outlive it. `state`: null without a state file. `verifier_asker`: set when
  // the verifier is to be confirmed.
  Session(const Arguments& arguments, Console& console, Interrupt& interrupt,
          std::shared_ptr<Events> events, std::shared_ptr<StateFile> state,
          std::optional<Asker> verifier_asker);

  // To the end of the exchange. `party` has just been made.
  ExitCode Run(Party& party);

 private:
  std::optional<ExitCode> Wait(Party& party);
  std::optional<ExitCode> OnEvent(Party& party, Event event);
  void OnCode(const std::string& code);
  void OnVerifier(const std::string& words);
  void AskAboutVerifier();
  std::optional<ExitCode> OnAnswer(Party& party);
  void OnProgress(const ProgressEvent& progress);
  // Returns whether it has written a line of its own.
  bool ShowStatus(const ProgressEvent& progress);
  std::optional<ExitCode> OnData(Party& party, std::string data);
  ExitCode OnRefusedData(Party& party);
  ExitCode ShowData(Party& party, const std::string& data);
  void RemoveState();
  std::string FailureText(const absl::Status& failure) const;
  ExitCode OnFailure(Party& party, const absl::Status& failure);
  std::optional<ExitCode> OnInterrupt(Party& party);
  [[noreturn]] void EndAtOnce(ExitCode code);
  absl::Status WriteData(const std::string& data);
  void Finish(Party& party, ExitCode code);
  void OfferResume();

  const Arguments& arguments_;
  Console& console_;
  Interrupt& interrupt_;
  const std::shared_ptr<Events> events_;
  const std::shared_ptr<StateFile> state_;
  const std::optional<Asker> asker_;
  std::optional<LineReader> answer_;  // set while the question is open
  std::string verifier_;
  int relay_messages_ = 0;        // shown so far
  bool told_of_trouble_ = false;  // of the first lost connection
  bool accepted_ = false;         // the user said yes
  bool refused_ = false;          // the user said no, or gave up before: nothing is shown any more
  bool giving_up_ = false;        // interrupted, and the exchange is being cancelled
  std::optional<std::string> data_;  // the other side's, held back until the answer
};

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_SESSION_H_
