// The ways to the end of a session.
#include <poll.h>
#include <unistd.h>

#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/exchange_options.h"
#include "client/cli/neutralise.h"
#include "client/cli/session.h"
#include "client/core/outcome.h"

namespace wormhole::cli {
namespace {

// How long the relay is told about the end before the program ends all the same: people wait.
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
    // The state file is removed next: a crash then must not take the data along.
    return written.ok() ? SyncOutput(STDOUT_FILENO) : written;
  }
  // The last line of ours: below it whatever the data says is said by the other side.
  if (console_.is_terminal()) console_.Note("the other side says:");
  absl::Status written =
      WriteAll(STDOUT_FILENO, Neutralise(data, Lines::kKeep, console_.charset()), interrupt_);
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
  // Whoever gave up has been told already.
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

// Without a state the exchange is cancelled, and what comes of that is waited for: one that was
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

// On a thread of its own, so that a second signal is noticed.
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
