#include "client/cli/session.h"

#include <poll.h>
#include <unistd.h>

#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/cli/escape_for_terminal.h"
#include "client/cli/exchange_options.h"
#include "client/cli/qr.h"
#include "client/cli/relay_message.h"
#include "client/core/failure.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {
namespace {

// Enough for a relay that restarts with another message. A hostile relay must not fill the screen.
constexpr int kMaxRelayMessages = 3;

QrStyle StyleFor(const Console& console) {
  if (!console.is_terminal()) return QrStyle::kPlain;
  return console.charset() == Charset::kUtf8 ? QrStyle::kColoured : QrStyle::kBlanks;
}

bool Readable(const pollfd& entry) { return entry.revents != 0; }

}  // namespace

Session::Session(const Arguments& arguments, Console& console, Interrupt& interrupt,
                 std::shared_ptr<Events> events, std::shared_ptr<StateFile> state,
                 std::optional<Asker> verifier_asker)
    : arguments_(arguments),
      console_(console),
      interrupt_(interrupt),
      events_(std::move(events)),
      state_(std::move(state)),
      asker_(std::move(verifier_asker)) {}

ExitCode Session::Run(Party& party) {
  if (asker_.has_value()) {
    party.WhenVerifier([events = events_](absl::StatusOr<std::string> words) {
      events->Push({.kind = Event::Kind::kVerifier, .value = std::move(words)});
    });
  }
  party.WhenData([events = events_](absl::StatusOr<std::string> data) {
    events->Push({.kind = Event::Kind::kData, .value = std::move(data)});
  });
  while (true) {
    if (std::optional<ExitCode> code = Wait(party)) return *code;
  }
}

std::optional<ExitCode> Session::Wait(Party& party) {
  // poll ignores a negative descriptor.
  pollfd fds[] = {{interrupt_.fd(), POLLIN, 0},
                  {events_->fd(), POLLIN, 0},
                  {answer_.has_value() ? asker_->input() : -1, POLLIN, 0}};
  if (poll(fds, 3, -1) < 0) return std::nullopt;
  if (Readable(fds[0]) && interrupt_.Take()) return OnInterrupt(party);
  if (Readable(fds[1])) {
    if (std::optional<Event> event = events_->Pop()) return OnEvent(party, *std::move(event));
  }
  if (Readable(fds[2])) return OnAnswer(party);
  return std::nullopt;
}

std::optional<ExitCode> Session::OnEvent(Party& party, Event event) {
  if (giving_up_ && event.kind != Event::Kind::kData) return std::nullopt;
  switch (event.kind) {
    // The failure of an exchange comes with each of its events; kData's is the one that counts.
    case Event::Kind::kCode:
      if (event.value.ok()) OnCode(*event.value);
      break;
    case Event::Kind::kVerifier:
      if (event.value.ok()) OnVerifier(*event.value);
      break;
    case Event::Kind::kProgress:
      OnProgress(event.progress);
      break;
    case Event::Kind::kData:
      if (event.value.ok()) return OnData(party, *std::move(event.value));
      if (answer_.has_value()) asker_->Write("\n", interrupt_);
      answer_.reset();
      return OnFailure(party, event.value.status());
    case Event::Kind::kFinished:
      break;
  }
  return std::nullopt;
}

void Session::OnCode(const std::string& code) {
  console_.Print(absl::StrCat("Invitation code: ", code));
  if (!arguments_.qr) return;
  const absl::StatusOr<QrEncoder> encoder = QrEncoder::Open();
  absl::StatusOr<std::string> picture =
      encoder.ok() ? encoder->Render(code, StyleFor(console_)) : encoder.status();
  if (picture.ok()) {
    picture->pop_back();  // Print ends the last line
    console_.Print(*picture);
  } else {
    console_.Warn(std::string(picture.status().message()));
  }
}

void Session::OnVerifier(const std::string& words) {
  console_.ClearProgress();
  verifier_ = words;
  answer_.emplace(asker_->input());
  asker_->DiscardPendingInput();  // nobody has compared words that were not shown yet
  AskAboutVerifier();
}

void Session::AskAboutVerifier() {
  asker_->Write(
      absl::StrCat("Verifier: ", verifier_, "\nDoes the other side show the same words? [yes/no] "),
      interrupt_);
}

std::optional<ExitCode> Session::OnAnswer(Party& party) {
  absl::StatusOr<LineReader::State> state = answer_->ReadByte(interrupt_);
  // ReadByte has taken the signal.
  if (ReasonOf(state.status()) == Reason::kCancelled) return OnInterrupt(party);
  if (state.ok() && *state == LineReader::State::kMore) return std::nullopt;
  std::string answer = "no";  // a user who cannot answer has not compared
  if (state.ok() && *state == LineReader::State::kLine) {
    answer = absl::AsciiStrToLower(absl::StripAsciiWhitespace(answer_->line()));
  }
  if (answer == "yes" || answer == "y") {
    answer_.reset();
    accepted_ = true;
    party.AcceptVerifier(true);
    if (data_.has_value()) return ShowData(party, *data_);
  } else if (answer == "no" || answer == "n") {
    answer_.reset();
    refused_ = true;
    party.AcceptVerifier(false);
    if (data_.has_value()) return OnRefusedData(party);
  } else {
    asker_->Write("Please answer yes or no: ", interrupt_);
  }
  return std::nullopt;
}

void Session::OnProgress(const ProgressEvent& progress) {
  switch (progress.kind) {
    case ProgressEvent::Kind::kThirdParty:
      console_.Warn(
          "somebody else tried to use this code's number and was refused; the exchange goes on");
      break;
    case ProgressEvent::Kind::kMotd: {
      const std::string message =
          RelayMessage(progress.text, console_.charset(), console_.columns());
      if (message.empty() || relay_messages_ == kMaxRelayMessages) return;
      ++relay_messages_;
      console_.Print(message);
      break;
    }
    default:
      if (!ShowStatus(progress)) return;
  }
  if (answer_.has_value()) AskAboutVerifier();
}

bool Session::ShowStatus(const ProgressEvent& progress) {
  const bool trouble = progress.kind == ProgressEvent::Kind::kDisconnected;
  // Only the first trouble gets a line that stays: tries may be many.
  if (trouble && !std::exchange(told_of_trouble_, true)) {
    console_.Note(progress.text);
    if (!answer_.has_value()) console_.Progress("trying again (Ctrl-C gives up)");
    return true;
  }
  // The question stays the last line.
  if (!answer_.has_value()) console_.Progress(progress.text);
  return false;
}

// A resumed exchange may have been accepted before and may have its data at once; the question is
// asked again all the same, and its answer counts.
std::optional<ExitCode> Session::OnData(Party& party, std::string data) {
  if (refused_) return OnRefusedData(party);
  if (!asker_.has_value() || accepted_) return ShowData(party, data);
  data_ = std::move(data);
  return std::nullopt;
}

// The ways to the end of a session.

namespace {

// How long the program tries to tell the relay of the end before it ends all the same: people wait.
constexpr absl::Duration kFinishLimit = absl::Seconds(2);

}  // namespace

ExitCode Session::OnRefusedData(Party& party) {
  return OnFailure(party, core::Failure(Reason::kCancelled, absl::StatusCode::kCancelled,
                                        "the verifier was refused"));
}

ExitCode Session::ShowData(Party& party, const std::string& data) {
  console_.ClearProgress();
  if (giving_up_) console_.Note("the exchange was finished already");
  if (absl::Status written = WriteData(data); !written.ok()) {
    console_.Note(
        absl::StrCat("cannot write the other side's data to standard output: ", written.message()));
    OfferResume();
    return ReasonOf(written) == Reason::kCancelled ? kGaveUp : kLocal;
  }
  Finish(party, kDone);
  RemoveState();
  return kDone;
}

void Session::RemoveState() {
  if (state_ == nullptr || arguments_.keep_state) return;
  if (absl::Status removed = state_->Remove(); !removed.ok()) {
    console_.Warn(std::string(removed.message()));
  }
}

absl::Status Session::WriteData(const std::string& data) {
  if (isatty(STDOUT_FILENO) != 1) {
    absl::Status written = WriteAll(STDOUT_FILENO, data, interrupt_);
    // The caller removes the state file next: a crash after that must not lose the data.
    return written.ok() ? SyncOutput(STDOUT_FILENO) : written;
  }
  // The last line of ours: all that stands below it is the other side's, whatever it says.
  if (console_.is_terminal()) console_.Note("the other side says:");
  absl::Status written = WriteAll(
      STDOUT_FILENO, EscapeForTerminal(data, Lines::kKeep, console_.charset()), interrupt_);
  // So that the shell's prompt begins a line of its own.
  const bool open_line = !data.empty() && data.back() != '\n';
  if (open_line && console_.is_terminal()) console_.Print("");
  return written;
}

std::string Session::FailureText(const absl::Status& failure) const {
  if (!refused_ || giving_up_) return Explanation(failure);
  return arguments_.command == Command::kResume
             ? "you said that the verifier differs: nothing is shown"
             : "you said that the verifier differs: nothing was sent or shown";
}

ExitCode Session::OnFailure(Party& party, const absl::Status& failure) {
  const ExitCode code = ExitCodeOf(failure);
  console_.ClearProgress();
  const Reason reason = ReasonOf(failure);
  // OnInterrupt has told a user who gave up.
  if (!giving_up_ || reason != Reason::kCancelled) console_.Note(FailureText(failure));
  if (const std::string details = DetailsOf(failure); arguments_.verbose && !details.empty()) {
    console_.Note(absl::StrCat("details: ", details));
  }
  Finish(party, code);
  if (state_ == nullptr || !state_->exists()) return code;
  if (MayGoOn(reason)) {
    OfferResume();
  } else if (reason != Reason::kInUseElsewhere) {
    console_.Note(absl::StrCat("this exchange is over; ", state_->path(),
                               " still holds your data: remove it when you have no use for it"));
  }
  return code;
}

// Without a state this cancels the exchange and lets Run wait for the outcome: an exchange that was
// finished a moment before has data that nobody can ever get again.
std::optional<ExitCode> Session::OnInterrupt(Party& party) {
  if (giving_up_) EndAtOnce(kGaveUp);
  if (answer_.has_value()) asker_->Write("\n", interrupt_);
  answer_.reset();
  console_.ClearProgress();
  if (state_ != nullptr && state_->exists()) {
    OfferResume();
    return kGaveUp;
  }
  console_.Note("giving up and telling the other side (Ctrl-C again ends at once)");
  giving_up_ = true;
  refused_ = asker_.has_value() && !accepted_;  // who did not answer has not compared
  party.Cancel();
  return std::nullopt;
}

void Session::EndAtOnce(ExitCode code) {
  if (code == kDone) {
    RemoveState();
    if (state_ != nullptr) state_->Close();
  } else {
    console_.Note("ended at once; the relay may not have heard of it");
  }
  _exit(code);
}

// Calls Party::Finish on a thread of its own, so that this thread notices a second signal.
void Session::Finish(Party& party, ExitCode code) {
  const auto finish = [&party, events = events_] {
    // Whether the relay heard of it or not, there is nothing more to do.
    party.Finish(kFinishLimit).IgnoreError();
    events->Push({.kind = Event::Kind::kFinished});
  };
  std::thread finisher;
  try {
    finisher = std::thread(finish);
  } catch (const std::system_error&) {
    finish();  // without a thread a second signal has to wait
  }
  while (true) {
    pollfd fds[] = {{interrupt_.fd(), POLLIN, 0}, {events_->fd(), POLLIN, 0}};
    if (poll(fds, 2, -1) < 0) continue;
    if (fds[0].revents != 0 && interrupt_.Take()) EndAtOnce(code);
    std::optional<Event> event = events_->Pop();
    if (event.has_value() && event->kind == Event::Kind::kFinished) break;
  }
  if (finisher.joinable()) finisher.join();
}

void Session::OfferResume() {
  if (state_ == nullptr || !state_->exists()) {
    console_.Note("nothing was kept, since --state was not used");
  } else {
    console_.NoteCommand("the state is kept; go on with", ResumeCommand(arguments_));
  }
}

}  // namespace wormhole::cli
