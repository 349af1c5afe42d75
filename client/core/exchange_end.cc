// The ways to the end of an exchange (proto/PROTOCOL.md sections 5 and 6).

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/core/exchange_machine.h"
#include "client/core/handshake.h"
#include "client/default_rendezvous.h"

namespace wormhole::core {
namespace {

using rendezvous::v1::Mood;

constexpr absl::Duration kFailedRetry = absl::Seconds(1);
// A finished exchange has succeeded, and its peer needs nothing more of it: an unclosed channel
// costs the relay a little until it expires. That is worth half a minute, not the hours that a
// timeout may have left, during which a program would be kept from ending.
constexpr absl::Duration kHappyPatience = absl::Seconds(30);
constexpr absl::Duration kHappyRetry = absl::Seconds(5);

}  // namespace

void ExchangeMachine::Finish() {
  state_.finished = true;
  state_.mood = rendezvous::v1::MOOD_HAPPY;
  changed_ = true;
  Settle(DataReady{*state_.peer_data});
  BeginClosing(HappyPatience());
}

// MOOD_UNSPECIFIED: there is nothing to close.
void ExchangeMachine::Fail(absl::Status status, Mood mood) {
  state_.failure = SavedFailure{ReasonOf(status), status.code(), std::string(status.message())};
  WipeAll(state_);
  state_.mood = mood;
  changed_ = true;
  Settle(Failed{std::move(status)});
  mood == rendezvous::v1::MOOD_UNSPECIFIED ? End() : BeginClosing(kFailedPatience);
}

// Saved before it is told: an application that hears of the end may be gone in the next moment, and
// a burnt code that was not saved as burnt could be guessed at again.
void ExchangeMachine::Settle(Effect outcome) {
  SaveIfChanged();
  outcome_unsure_ = saves_;
  told_ = true;
  effects_.push_back(std::move(outcome));
}

void ExchangeMachine::OnBadFrame(Taken taken) {
  if (taken == Taken::kNoCommonVersion) {
    return Fail(Failure(Reason::kNoCommonVersion, absl::StatusCode::kFailedPrecondition,
                        absl::StrCat("the two programs on ", Place(state_),
                                     " have no protocol version in common; update the older one")),
                rendezvous::v1::MOOD_ERRORY);
  }
  state_.burnt = true;
  if (state_.confirmed) {
    return Fail(Failure(Reason::kForged, absl::StatusCode::kAborted,
                        absl::StrCat("a message on ", Place(state_),
                                     " was not genuine: somebody has forged or changed it; begin "
                                     "again with a new code")),
                rendezvous::v1::MOOD_SCARY);
  }
  Fail(WrongCode(state_), rendezvous::v1::MOOD_SCARY);
}

void ExchangeMachine::OnUnfinishedPeer() {
  if (IsUnproven(state_)) {
    state_.burnt = true;
    return Fail(Unproven(state_), rendezvous::v1::MOOD_ERRORY);
  }
  Fail(Failure(Reason::kPeerUnfinished, absl::StatusCode::kAborted,
               absl::StrCat("the other side of ", Place(state_),
                            " has left as if it had finished, without having sent its data; begin "
                            "again with a new code")),
       rendezvous::v1::MOOD_ERRORY);
}

void ExchangeMachine::TimeOut() {
  if (!answered_ && !state_.joined) return Fail(Unreached(), rendezvous::v1::MOOD_LONELY);
  const bool met = state_.confirmed || IsUnproven(state_);
  std::string message = absl::StrCat(
      met ? "the exchange was not finished within " : "the other side did not come within ",
      absl::FormatDuration(state_.timeout), " on ", Place(state_));
  if (!trouble_.empty()) absl::StrAppend(&message, "; the last trouble was: ", trouble_);
  absl::StrAppend(&message, "; begin again with a new code, or a longer timeout",
                  GuessNote(state_));
  Fail(Failure(Reason::kTimeout, absl::StatusCode::kDeadlineExceeded, message),
       rendezvous::v1::MOOD_LONELY);
}

// What the transport says of it begins with what to do.
absl::Status ExchangeMachine::Unreached() const {
  std::string message =
      absl::StrCat(trouble_.empty() ? "check the relay's name and the network" : trouble_, "; ",
                   state_.relay.empty() ? "the relay" : state_.relay,
                   " could not be reached within ", absl::FormatDuration(state_.timeout));
  if (state_.relay == kDefaultRendezvous && absl::StartsWith(kDefaultRendezvous, "localhost:")) {
    absl::StrAppend(&message,
                    "; no public relay exists yet: start one, or name one with --rendezvous, "
                    "Options::rendezvous or WORMHOLE_RENDEZVOUS");
  }
  return WithDetails(Failure(Reason::kUnreachable, absl::StatusCode::kDeadlineExceeded, message),
                     trouble_details_);
}

// As long as the timeout, but at most half a minute, and never less than after a failure.
absl::Duration ExchangeMachine::HappyPatience() const {
  return std::clamp(deadline_ - now_.steady, kFailedPatience, kHappyPatience);
}

void ExchangeMachine::BeginClosing(absl::Duration patience) {
  close_until_ = now_.steady + patience;
  if (state_.joined) link_.Hurry(now_.steady, state_.finished ? kHappyRetry : kFailedRetry);
  switch (link_.phase()) {
    case Link::Phase::kAttached:
      return SendClose();
    case Link::Phase::kOpening:
      return;  // it may be joining right now: what it answers decides
    case Link::Phase::kWaiting:
    case Link::Phase::kStopped:
      return End();  // nothing has been claimed, or nothing sent
    case Link::Phase::kDown:
      if (!state_.joined) return End();
      return;  // the next try is due now
  }
}

// What is missing is posted before: a relay that has lost what was Posted is given it again.
void ExchangeMachine::SendClose() {
  if (state_.finished) {
    PostFrames();
    Ack();
  }
  SaveIfChanged();
  rendezvous::v1::AttachRequest request;
  request.mutable_close()->set_mood(state_.mood);
  Emit(Send{std::move(request)});
  stream_.close_sent = true;
}

void ExchangeMachine::End() {
  if (link_.has_stream()) Emit(DropStream{});
  link_.Stop();
  state_.closed = true;
  over_ = true;
  Emit(Over{.nothing_to_tell = !state_.joined && !unanswered_});
}

// Another copy of this state is running: it is left alone, and so is the channel.
void ExchangeMachine::Stop() {
  if (!told_) {
    Emit(Failed{Failure(Reason::kInUseElsewhere, absl::StatusCode::kAborted,
                        absl::StrCat("another copy of this exchange keeps taking over ",
                                     Place(state_), "; stop one of the two", GuessNote(state_)))});
  }
  told_ = true;
  stopped_ = true;
  link_.Stop();
  over_ = true;
  Emit(Over{});
}

}  // namespace wormhole::core
