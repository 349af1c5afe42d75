#include "client/core/exchange_machine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/core/handshake.h"
#include "client/core/outcome.h"
#include "client/core/saved_state.h"

namespace wormhole::core {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

namespace {

constexpr char kUnsaved[] = "; saving this has failed: do not resume from what was saved before";

}  // namespace

ExchangeMachine::ExchangeMachine(ExchangeState state, bool saves, RandomSource* random)
    : state_(std::move(state)), saves_(saves), link_(state_.schedule, state_.check_in, random) {
  unanswered_ = state_.deadline.has_value();  // an earlier process may have sent one
}

// --- Every event goes through here; a stream that is due is opened at once.

std::vector<Effect> ExchangeMachine::Step(Event event, Instant now) {
  effects_.clear();
  now_ = now;
  const bool save_failed = std::holds_alternative<SaveFailed>(event);
  if (!save_failed) outcome_unsure_ = false;
  if (!over_ || save_failed) {
    std::visit([this](const auto& e) { On(e); }, event);
  }
  if (link_.TryDue(now_.steady)) OpenStreamNow();
  return std::move(effects_);
}

void ExchangeMachine::On(const Start&) {
  if (started_) return;
  started_ = true;
  StartClock();
  const bool ended = state_.finished || state_.failure;
  if (!ended && now_.steady >= deadline_) return TimeOut();
  TellWhatIsKnown();
  if (!ended) return;
  if (state_.closed || !closing()) return End();
  BeginClosing(state_.finished ? HappyPatience() : kFailedPatience);
}

void ExchangeMachine::On(const Wake&) {
  if (!started_) return;
  if (!closing() && now_.steady >= deadline_) return TimeOut();
  if (closing() && now_.steady >= close_until_) return End();
  TellPeerNews();
  if (link_.Silent(now_.steady)) return LoseStream("the relay fell silent", /*silent=*/true);
  if (AwaitsRest() && now_.steady >= *stream_.rest_due) {
    return LoseStream("the other side has left, and more of its messages is asked for");
  }
  if (link_.HeartbeatDue(now_.steady)) {
    AttachRequest request;
    request.mutable_heartbeat();
    Emit(Send{std::move(request)});
    link_.OnHeartbeatSent(now_.steady);
  }
}

void ExchangeMachine::On(const Received& received) {
  if (!link_.has_stream()) return;
  link_.OnHeard(now_.steady);
  const AttachResponse& response = received.response;
  switch (response.response_case()) {
    case AttachResponse::kOpened:
      return OnOpened(response.opened());
    case AttachResponse::kMessage:
      return OnMessage(response.message());
    case AttachResponse::kPosted:
      return OnPosted(response.posted());
    case AttachResponse::kPeerStatus:
      return OnPeerStatus(response.peer_status());
    case AttachResponse::kDraining:
      return OnDraining(response.draining());
    case AttachResponse::kHeartbeat:
      return;
    case AttachResponse::RESPONSE_NOT_SET:
      return RejectStream("the relay said what this program does not know");
  }
}

void ExchangeMachine::On(const Ended& ended) {
  if (!link_.has_stream()) return;
  const bool close_done = closing() && stream_.close_sent && ended.status.ok();
  const StreamEnd end = Judge(ended.status);
  switch (end.kind) {
    case StreamEnd::Kind::kLost:
      link_.OnLost(now_.steady);
      break;
    case StreamEnd::Kind::kDelayed:
      link_.OnDelayed(now_.steady, end.delay);
      break;
    case StreamEnd::Kind::kSuperseded:
      if (!link_.OnSuperseded(now_.steady)) return closing() ? End() : Stop();
      break;
    case StreamEnd::Kind::kGone:
    case StreamEnd::Kind::kRefused:
      link_.BySchedule(now_.steady);
      if (closing()) return End();
      if (end.burn) state_.burnt = true;
      return Fail(end.failure, end.try_to_close ? rendezvous::v1::MOOD_ERRORY
                                                : rendezvous::v1::MOOD_UNSPECIFIED);
  }
  // An Open that was under way when the exchange failed: whether it joined is not known, and
  // joining only to close would hurt more than it helps.
  if (close_done || (closing() && !state_.joined)) return End();
  const std::string_view message(ended.status.message().data(), ended.status.message().size());
  TellDisconnected(ended.status.ok()                                ? "the relay ended the stream"
                   : ReasonOf(ended.status) == Reason::kUnreachable ? std::string(message)
                                                                    : Harmless(message));
  trouble_details_ = DetailsOf(ended.status);
}

// The transport says that waiting does not help. A relay that was there once is believed to come
// back all the same: somebody may renew its certificate while an exchange of days goes on.
bool ExchangeMachine::IsHopeless(const absl::Status& status) const {
  const Reason reason = ReasonOf(status);
  const bool hopeless =
      reason == Reason::kInternal ||
      (reason == Reason::kUnreachable && status.code() == absl::StatusCode::kFailedPrecondition);
  return hopeless && !answered_ && !state_.joined;
}

// JudgeEnd, but for a frame that may be too large for whatever stands before the relay: posted
// again for ever, it would end each stream. Once may be chance, or a proxy that is short of
// something.
StreamEnd ExchangeMachine::Judge(const absl::Status& status) {
  if (status.ok()) return {};
  if (IsHopeless(status)) return {.kind = StreamEnd::Kind::kRefused, .failure = status};
  // An exchange that is over has no frames any more, and only a close to make.
  if (closing() || !IsBareExhaustion(status) || stream_.sent <= stream_.posted) {
    return JudgeEnd(status, state_, answered_ || state_.joined);
  }
  if (stream_.sent <= state_.exhausted) return TooLarge(status, stream_.sent, state_);
  state_.exhausted = stream_.sent;
  changed_ = true;
  return {};
}

void ExchangeMachine::On(const SaveFailed& failed) {
  if (!told_ || outcome_unsure_) {
    // A failure stays what it was.
    state_.failure ? TellFailure(kUnsaved) : TellSaveFailed(failed.status);
  }
  told_ = true;
  stopped_ = true;
  outcome_unsure_ = false;
  // The step whose Save failed may have believed that it was over; its Over was not carried out.
  Emit(DropStream{});
  link_.Stop();
  over_ = true;
  Emit(Over{});
}

void ExchangeMachine::TellFailure(const char* more) {
  Emit(Failed{Failure(state_.failure->reason, state_.failure->code,
                      absl::StrCat(state_.failure->message, more))});
}

void ExchangeMachine::TellSaveFailed(const absl::Status& why) {
  Emit(
      Failed{Failure(Reason::kSaveFailed, why.ok() ? absl::StatusCode::kInternal : why.code(),
                     absl::StrCat("saving the state of ", Place(state_), " failed: ", why.message(),
                                  "; mend that, then resume from what was saved last"))});
}

void ExchangeMachine::On(const Cancel&) {
  if (state_.finished) {
    close_until_ = std::min(close_until_, now_.steady + kFailedPatience);
    return;
  }
  if (state_.failure) return;
  Fail(
      Failure(Reason::kCancelled, absl::StatusCode::kCancelled,
              absl::StrCat("the exchange on ", Place(state_), " was cancelled", GuessNote(state_))),
      rendezvous::v1::MOOD_LONELY);
}

void ExchangeMachine::On(const AcceptVerifier& answer) {
  if (!state_.confirm_verifier || !state_.confirmed || closing()) return;
  // Also after a yes: a restored exchange's user may have looked again, more closely.
  if (!answer.accepted) {
    return Fail(
        Failure(Reason::kCancelled, absl::StatusCode::kCancelled,
                absl::StrCat("the verifier of ", Place(state_), " was refused",
                             state_.verifier_accepted
                                 ? " after it had been accepted: own data may be gone to the other "
                                   "side already"
                                 : "; nothing was sent",
                             ". Begin again with a new code")),
        rendezvous::v1::MOOD_LONELY);
  }
  if (state_.verifier_accepted) return;
  state_.verifier_accepted = true;
  changed_ = true;
  if (link_.attached()) Advance();
}

// --- Parts of Start.

// The saved deadline is wall-clock time. What is left of it never exceeds the timeout, also when
// the clock was set back.
void ExchangeMachine::StartClock() {
  if (!state_.deadline) {
    state_.deadline = now_.wall + state_.timeout;
    changed_ = true;
  }
  const absl::Duration left =
      std::clamp(*state_.deadline - now_.wall, absl::ZeroDuration(), state_.timeout);
  deadline_ = now_.steady + left;
  link_.Begin(now_.steady, state_.timeout - left);
}

// A restored exchange tells in the new process what it had told in the old one. The peer's data
// is among it however far the closing had come: a crash may have kept it from the application.
void ExchangeMachine::TellWhatIsKnown() {
  if (state_.failure) {
    told_ = true;
    return TellFailure("");
  }
  if (state_.confirmed) Emit(VerifierReady{VerifierText(state_)});
  if (state_.finished) {
    told_ = true;
    return Emit(DataReady{*state_.peer_data});
  }
  if (state_.joined) AnnounceCode();
}

void ExchangeMachine::OpenStreamNow() {
  AttachRequest request;
  rendezvous::v1::Open& open = *request.mutable_open();
  open.set_app_id(state_.app_id);
  const std::string_view token = state_.token().string(pake::SecretAccess{});
  open.set_token(token.data(), token.size());
  open.set_cursor(state_.cursor);
  if (state_.joined) {
    open.mutable_resume()->set_channel_id(state_.channel_id);
  } else if (state_.role == pake::Role::kInitiator) {
    rendezvous::v1::Allocate& allocate = *open.mutable_allocate();
    absl::Duration rest;
    allocate.mutable_ttl()->set_seconds(absl::IDivDuration(state_.ttl, absl::Seconds(1), &rest));
    allocate.mutable_ttl()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
    allocate.set_channel_id(state_.agreed_id);
  } else {
    open.mutable_claim()->set_channel_id(state_.channel_id);
    open.mutable_claim()->set_wait(state_.wait);
  }
  SaveIfChanged();
  Tell(Progress::Kind::kConnecting, absl::StrCat("connecting to ", state_.relay));
  Emit(OpenStream{std::move(request)});
  unanswered_ = true;
  link_.OnOpening(now_.steady);
  stream_ = Stream{.acked = state_.cursor};
}

// --- Queries.

std::optional<absl::Duration> ExchangeMachine::NextWake() const {
  if (!started_ || over_) return std::nullopt;
  absl::Duration limit = closing() ? close_until_ : deadline_;
  if (PeerNews()) limit = std::min(limit, news_due_);
  if (AwaitsRest()) limit = std::min(limit, *stream_.rest_due);
  return std::min(limit, link_.NextWake().value_or(limit));
}

std::string ExchangeMachine::Serialize() const { return SerializeState(state_); }

absl::StatusOr<std::string> ExchangeMachine::Verifier() const {
  if (!state_.confirmed || state_.failure || stopped_) {
    return absl::FailedPreconditionError("there is no verifier: the key is not confirmed");
  }
  return VerifierText(state_);
}

absl::Status ExchangeMachine::DeriveKey(std::string_view purpose, pake::SecretSpan out) const {
  if (!state_.confirmed || state_.failure || stopped_) {
    return absl::FailedPreconditionError("there is no key to derive from: it is not confirmed");
  }
  return Keys(state_).DeriveKey(purpose, out);
}

// --- Effects.

void ExchangeMachine::SaveIfChanged() {
  if (!changed_) return;
  changed_ = false;
  if (saves_) Emit(Save{SerializeState(state_)});
}

void ExchangeMachine::Tell(Progress::Kind kind, std::string text) {
  Emit(Progress{kind, std::move(text)});
}

// A relay that was never reached cannot be lost.
void ExchangeMachine::TellDisconnected(std::string_view why) {
  trouble_ = std::string(why);
  trouble_details_.clear();
  const absl::Duration wait = absl::Trunc(
      std::max(link_.UntilTry(now_.steady), absl::ZeroDuration()), absl::Milliseconds(100));
  const std::string what = answered_ || state_.joined
                               ? absl::StrCat("lost ", state_.relay, " (", trouble_, ")")
                               : trouble_;
  Tell(
      Progress::Kind::kDisconnected,
      absl::StrCat(what, "; trying again ",
                   wait == absl::ZeroDuration() ? std::string("now")
                                                : absl::StrCat("in ", absl::FormatDuration(wait))));
}

}  // namespace wormhole::core
