#include "client/cli/run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cli/arguments.h"
#include "client/cli/charset.h"
#include "client/cli/code_prompt.h"
#include "client/cli/console.h"
#include "client/cli/data_source.h"
#include "client/cli/events.h"
#include "client/cli/exchange_options.h"
#include "client/cli/exit_codes.h"
#include "client/cli/help.h"
#include "client/cli/interrupt.h"
#include "client/cli/saved_session.h"
#include "client/cli/secret_text.h"
#include "client/cli/session.h"
#include "client/cli/state_file.h"
#include "client/cli/terminal.h"
#include "client/core/failure.h"
#include "wormhole/wormhole.h"

namespace wormhole::cli {
namespace {

// The library's default where the user says nothing, also for the part of `resume` that comes
// before its exchange. How long the exchange may take is in its state.
absl::Duration TimeoutOf(const Arguments& arguments) {
  return arguments.timeout.value_or(Options().timeout);
}

// What a command needs, collected before the first byte goes to the network.
struct Preparation {
  Options options;
  std::shared_ptr<Events> events;
  std::shared_ptr<StateFile> state;
  bool verify = false;
  std::optional<Asker> verifier_asker;
};

class Runner {
 public:
  Runner(const Arguments& arguments, Console& console, Interrupt& interrupt)
      : arguments_(arguments), console_(console), interrupt_(interrupt) {}

  absl::StatusOr<ExitCode> Run() {
    WarnAboutArguments();
    absl::Status prepared = CheckOutputs();
    if (prepared.ok()) prepared = PrepareOptions();
    if (!prepared.ok()) return prepared;
    switch (*arguments_.command) {
      case Command::kInitiate:
        return Initiate();
      case Command::kReceive:
        return Receive();
      case Command::kResume:
        return Resume();
    }
    return absl::InternalError("unknown command");
  }

 private:
  void WarnAboutArguments() {
    if (arguments_.command == Command::kResume) return;
    if (!arguments_.code.empty()) {
      console_.Warn("other users of this machine can see a code on the command line");
    }
    if (arguments_.data.has_value()) {
      console_.Warn("other users of this machine can see --data; --file keeps it private");
    }
  }

  // An output that was closed when the program began takes nothing. If the tool found that out only
  // at the end, the other side's data would be lost, and nobody can get it again.
  absl::Status CheckOutputs() {
    if (!IsForWriting(STDOUT_FILENO)) {
      return Closed(
          "standard output is closed, and the other side's data goes there; use >/dev/null "
          "if you have no use for it");
    }
    if (*arguments_.command == Command::kInitiate && arguments_.code.empty() &&
        !IsForWriting(STDERR_FILENO)) {
      return Closed(
          "standard error is closed, and the code is shown there; agree on one with --code");
    }
    return absl::OkStatus();
  }

  static absl::Status Closed(std::string_view message) {
    return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument, message);
  }

  static bool IsForWriting(int fd) {
    const int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
  }

  // Gives the exchange what is left of the time.
  absl::Status StartTheClock() {
    const absl::Duration left = absl::Trunc(
        absl::FromChrono(*interrupt_.deadline() - Interrupt::Clock::now()), absl::Milliseconds(1));
    if (left <= absl::ZeroDuration()) return TimedOut();
    preparation_.options.timeout = left;
    return absl::OkStatus();
  }

  absl::Status PrepareOptions() {
    absl::StatusOr<Options> options = MakeOptions(arguments_, console_, interrupt_);
    if (!options.ok()) return options.status();
    preparation_.options = *std::move(options);
    absl::StatusOr<std::shared_ptr<Events>> events = Events::Create();
    if (!events.ok()) return events.status();
    preparation_.events = *std::move(events);
    preparation_.options.on_progress = [events = preparation_.events](const ProgressEvent& event) {
      events->Push({.kind = Event::Kind::kProgress, .progress = event});
    };
    return absl::OkStatus();
  }

  absl::Status PrepareVerifier(bool verify) {
    preparation_.verify = verify;
    if (!verify) return absl::OkStatus();
    absl::StatusOr<Asker> asker = Asker::ForVerifier(ReadsDataFromStdin(arguments_));
    if (!asker.ok()) return asker.status();
    preparation_.verifier_asker = *std::move(asker);
    return absl::OkStatus();
  }

  // For initiate and receive.
  absl::Status PrepareState() {
    if (arguments_.state.empty()) return absl::OkStatus();
    absl::StatusOr<std::shared_ptr<StateFile>> state = StateFile::ForNew(arguments_.state);
    if (!state.ok()) return state.status();
    preparation_.state = *std::move(state);
    SaveOnChange();
    return absl::OkStatus();
  }

  void SaveOnChange() {
    // Shared: the last save may still be running when everything else is gone.
    preparation_.options.on_save = [state = preparation_.state,
                                    verify = preparation_.verify](std::string_view text) {
      return state->Save(EncodeSession({.verify = verify, .state = text}).view());
    };
  }

  absl::StatusOr<ExitCode> Initiate() {
    absl::Status prepared = PrepareVerifier(arguments_.verify);
    if (prepared.ok()) prepared = PrepareState();
    if (!prepared.ok()) return prepared;
    absl::StatusOr<std::string> data = ReadData(arguments_, console_, interrupt_);
    if (!data.ok()) return data.status();
    if (absl::Status in_time = StartTheClock(); !in_time.ok()) return in_time;
    return RunInitiator(Initiator::Create(preparation_.options, *std::move(data)));
  }

  absl::StatusOr<ExitCode> Receive() {
    absl::Status prepared = PrepareVerifier(arguments_.verify);
    if (prepared.ok()) prepared = PrepareState();
    if (!prepared.ok()) return prepared;
    absl::StatusOr<std::string> code = Code();
    if (!code.ok()) return code.status();
    absl::StatusOr<std::string> data = ReadData(arguments_, console_, interrupt_);
    if (!data.ok()) return data.status();
    if (absl::Status in_time = StartTheClock(); !in_time.ok()) return in_time;
    return RunParty(Receiver::Create(preparation_.options, *code, *std::move(data)));
  }

  absl::StatusOr<std::string> Code() {
    if (!arguments_.code.empty()) return arguments_.code;
    absl::StatusOr<Asker> asker = Asker::ForCode(ReadsDataFromStdin(arguments_));
    if (!asker.ok()) return asker.status();
    absl::StatusOr<std::string> code =
        AskForCode(*asker, arguments_.allow_other_words, console_.charset(), interrupt_);
    if (!code.ok()) return code;
    Arguments with_code = arguments_;
    absl::Status taken = TakeCode(*code, with_code);
    if (!taken.ok()) return taken;
    return with_code.code;
  }

  absl::StatusOr<ExitCode> Resume() {
    absl::StatusOr<std::shared_ptr<StateFile>> file = StateFile::ForResume(arguments_.state);
    if (!file.ok()) return file.status();
    preparation_.state = *std::move(file);
    absl::StatusOr<SecretText> text = preparation_.state->Load();
    if (!text.ok()) return text.status();
    absl::StatusOr<SavedSession> saved = DecodeSession(text->view());
    if (!saved.ok()) return AboutState(saved.status());
    absl::StatusOr<SavedRole> role = RoleOf(saved->state);
    if (!role.ok()) return AboutState(role.status());
    absl::Status prepared = PrepareVerifier(saved->verify);
    if (!prepared.ok()) return prepared;
    SaveOnChange();
    // Both ways wipe the text before the exchange, which may take days.
    if (*role == SavedRole::kInitiator) {
      auto initiator = Initiator::FromSerialized(saved->state, preparation_.options);
      text->Shorten(0);
      return RunInitiator(std::move(initiator));
    }
    auto receiver = Receiver::FromSerialized(saved->state, preparation_.options);
    text->Shorten(0);
    return RunParty(std::move(receiver));
  }

  // Names the file in an error about its content.
  absl::Status AboutState(const absl::Status& status) {
    Reason reason = ReasonOf(status);
    if (reason == Reason::kInternal) return status;  // this machine's, whatever the content
    if (reason == Reason::kNone) reason = Reason::kInvalidArgument;
    // A state that is spent, or newer than this program, is whole but no use.
    if (absl::IsFailedPrecondition(status)) reason = Reason::kStaleState;
    return core::Failure(reason, status.code(),
                         absl::StrCat("state file ", arguments_.state, ": ", status.message()));
  }

  absl::StatusOr<ExitCode> RunInitiator(absl::StatusOr<Initiator> initiator) {
    if (initiator.ok()) {
      initiator->WhenCode([events = preparation_.events](absl::StatusOr<std::string> code) {
        events->Push({.kind = Event::Kind::kCode, .value = std::move(code)});
      });
    }
    return RunParty(std::move(initiator));
  }

  template <typename PartyType>
  absl::StatusOr<ExitCode> RunParty(absl::StatusOr<PartyType> party) {
    if (!party.ok()) return party.status();  // a saved state has been found good before
    Session session(arguments_, console_, interrupt_, preparation_.events, preparation_.state,
                    std::move(preparation_.verifier_asker));
    const ExitCode code = session.Run(*party);
    if (preparation_.state != nullptr) preparation_.state->Close();
    return code;
  }

  const Arguments& arguments_;
  Console& console_;
  Interrupt& interrupt_;
  Preparation preparation_;
};

int Answer(const std::string& text, Interrupt& interrupt) {
  return WriteAll(STDOUT_FILENO, text, interrupt).ok() ? kDone : kLocal;
}

// Does what `words` ask for. Returns the exit code.
int Obey(const std::vector<std::string>& words, Console& console, Interrupt& interrupt,
         Interrupt::Clock::time_point start) {
  absl::StatusOr<Arguments> arguments = ParseArguments(words);
  if (!arguments.ok()) {
    console.Note(std::string(arguments.status().message()));
    return kUsage;
  }
  switch (arguments->action) {
    case Action::kHelp:
      return Answer(HelpText(arguments->command), interrupt);
    case Action::kVersion:
      return Answer(VersionText(), interrupt);
    case Action::kRun:
      break;
  }
  interrupt.set_deadline(start + absl::ToChronoNanoseconds(TimeoutOf(*arguments)));
  absl::StatusOr<ExitCode> code = Runner(*arguments, console, interrupt).Run();
  if (code.ok()) return *code;
  console.Note(Explanation(code.status()));
  return ExitCodeOf(code.status());
}

}  // namespace

int Run(const std::vector<std::string>& words) {
  const Interrupt::Clock::time_point start = Interrupt::Clock::now();
  prctl(PR_SET_DUMPABLE, 0);            // a core dump would hold codes, keys and data
  signal(SIGPIPE, SIG_IGN);             // a reader that went away is an error of write()
  setenv("GRPC_VERBOSITY", "NONE", 0);  // the tool itself says once what goes wrong
  absl::StatusOr<Interrupt> interrupt = Interrupt::Install();
  if (!interrupt.ok()) {
    // Only where there is room: nothing could end a wait.
    pollfd room = {STDERR_FILENO, POLLOUT, 0};
    if (poll(&room, 1, 0) > 0)
      dprintf(STDERR_FILENO, "wormhole-sync: this machine gives no signals\n");
    return kLocal;
  }
  interrupt->set_deadline(start + absl::ToChronoNanoseconds(TimeoutOf(Arguments())));
  Console console(STDERR_FILENO, LocaleCharset(), *interrupt);
  return Obey(words, console, *interrupt, start);
}

}  // namespace wormhole::cli
