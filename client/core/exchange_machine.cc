#include "client/core/exchange_machine.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/core/code.h"
#include "client/core/default_rendezvous.h"
#include "client/core/failure.h"
#include "client/core/handshake.h"
#include "client/core/saved_state.h"
#include "proto/wire/limits.h"
#include "proto/wire/proto_time.h"
#include "wormhole/outcome.h"

namespace wormhole::core {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

namespace {

constexpr char kUnsaved[] = "; saving this has failed: do not resume from what was saved before";

}  // namespace

ExchangeMachine::ExchangeMachine(ExchangeState state, bool saves, RandomSource* random)
    : state_(std::move(state)),
      saves_(saves),
      link_(state_.terms.schedule, state_.terms.check_in, random) {
  unanswered_ = state_.deadline.has_value();  // an earlier process may have sent an Open
}

// --- Events. Step takes each of them, and then opens a stream if one is due.

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
  Notify();
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
  // The exchange failed while an Open was under way. Nobody knows whether that Open has joined, and
  // to join only to close would hurt more than it helps.
  if (close_done || (closing() && !state_.joined)) return End();
  const std::string_view message(ended.status.message().data(), ended.status.message().size());
  TellDisconnected(ended.status.ok()                                ? "the relay ended the stream"
                   : ReasonOf(ended.status) == Reason::kUnreachable ? std::string(message)
                                                                    : Harmless(message));
  trouble_details_ = DetailsOf(ended.status);
}

// Whether the transport says that waiting does not help. An exchange that has reached its relay
// once waits all the same: somebody may renew a certificate while an exchange of days goes on.
bool ExchangeMachine::IsHopeless(const absl::Status& status) const {
  const Reason reason = ReasonOf(status);
  const bool hopeless =
      reason == Reason::kInternal ||
      (reason == Reason::kUnreachable && status.code() == absl::StatusCode::kFailedPrecondition);
  return hopeless && !answered_ && !state_.joined;
}

// As JudgeEnd, but also finds a frame that may be too large for a proxy before the relay: the
// exchange would post that frame again for ever, and lose each stream by it. The first time may be
// chance, or a proxy that is short of something.
StreamEnd ExchangeMachine::Judge(const absl::Status& status) {
  if (status.ok()) return {};
  if (IsHopeless(status)) return {.kind = StreamEnd::Kind::kRefused, .failure = status};
  // An exchange that is closing posts no frames.
  if (closing() || !IsBareExhaustion(status) || stream_.window.sent() <= stream_.window.posted()) {
    return JudgeEnd(status, state_, answered_ || state_.joined);
  }
  const uint64_t sent = stream_.window.sent();
  if (sent <= state_.exhausted) return TooLarge(status, sent, state_);
  state_.exhausted = sent;
  changed_ = true;
  return {};
}

void ExchangeMachine::On(const SaveFailed& failed) {
  if (!told_ || outcome_unsure_) {
    // An exchange that had failed already fails for the same reason.
    state_.failure ? TellFailure(kUnsaved) : TellSaveFailed(failed.status);
  }
  told_ = true;
  stopped_ = true;
  outcome_unsure_ = false;
  // The step whose Save failed may have emitted an Over, which the driver has dropped.
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
  if (!state_.terms.confirm_verifier || !state_.confirmed || closing()) return;
  // A no counts also after a yes: the user of a restored exchange may have looked more closely.
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

// --- Start.

// The saved deadline is wall-clock time. What is left of it never exceeds the timeout, also when
// the clock was set back.
void ExchangeMachine::StartClock() {
  if (!state_.deadline) {
    state_.deadline = now_.wall + state_.terms.timeout;
    changed_ = true;
  }
  const absl::Duration left =
      std::clamp(*state_.deadline - now_.wall, absl::ZeroDuration(), state_.terms.timeout);
  deadline_ = now_.steady + left;
  link_.Begin(now_.steady, state_.terms.timeout - left);
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
  open.set_app_id(state_.terms.app_id);
  const std::string_view token = state_.token().string(pake::SecretAccess{});
  open.set_token(token.data(), token.size());
  open.set_cursor(state_.cursor);
  if (state_.joined) {
    open.mutable_resume()->set_channel_id(state_.channel_id);
  } else if (state_.terms.role == pake::Role::kInitiator) {
    rendezvous::v1::Allocate& allocate = *open.mutable_allocate();
    wire::Assign(state_.terms.ttl, *allocate.mutable_ttl());
    allocate.set_channel_id(state_.agreed_id);
  } else {
    open.mutable_claim()->set_channel_id(state_.channel_id);
    open.mutable_claim()->set_wait(state_.terms.wait);
  }
  SaveIfChanged();
  Tell(ProgressEvent::Kind::kConnecting, absl::StrCat("connecting to ", state_.terms.relay));
  Emit(OpenStream{std::move(request)});
  unanswered_ = true;
  link_.OnOpening(now_.steady);
  stream_ = Stream{.acked = state_.cursor};
  presence_notifier_.OnStream();
}

// --- Queries.

std::optional<absl::Duration> ExchangeMachine::NextWake() const {
  if (!started_ || over_) return std::nullopt;
  absl::Duration limit = closing() ? close_until_ : deadline_;
  if (MayNotify() && presence_notifier_.pending()) {
    limit = std::min(limit, presence_notifier_.due());
  }
  if (AwaitsRest()) limit = std::min(limit, *stream_.rest_due);
  return std::min(limit, link_.NextWake().value_or(limit));
}

std::string ExchangeMachine::Serialize() const { return SerializeState(state_); }

absl::StatusOr<std::string> ExchangeMachine::Verifier() const {
  if (!state_.confirmed || state_.failure || stopped_) {
    return absl::FailedPreconditionError(
        "there is no verifier: the key is not confirmed, or the exchange has failed");
  }
  return VerifierText(state_);
}

absl::Status ExchangeMachine::DeriveKey(std::string_view purpose, pake::SecretSpan out) const {
  if (!state_.confirmed || state_.failure || stopped_) {
    return absl::FailedPreconditionError(
        "there is no key to derive from: it is not confirmed, or the exchange has failed");
  }
  absl::Status derived = Keys(state_).DeriveKey(purpose, out);
  return derived.ok() ? derived : WithReason(std::move(derived), Reason::kInvalidArgument);
}

// --- Effects.

void ExchangeMachine::SaveIfChanged() {
  if (!changed_) return;
  changed_ = false;
  if (saves_) Emit(Save{SerializeState(state_)});
}

void ExchangeMachine::Tell(ProgressEvent::Kind kind, std::string text) {
  Emit(ProgressEvent{kind, std::move(text)});
}

// A relay that was never reached cannot be lost.
void ExchangeMachine::TellDisconnected(std::string_view why) {
  trouble_ = std::string(why);
  trouble_details_.clear();
  const absl::Duration wait = absl::Trunc(
      std::max(link_.UntilTry(now_.steady), absl::ZeroDuration()), absl::Milliseconds(100));
  const std::string what = answered_ || state_.joined
                               ? absl::StrCat("lost ", state_.terms.relay, " (", trouble_, ")")
                               : trouble_;
  Tell(
      ProgressEvent::Kind::kDisconnected,
      absl::StrCat(what, "; trying again ",
                   wait == absl::ZeroDuration() ? std::string("now")
                                                : absl::StrCat("in ", absl::FormatDuration(wait))));
}

// --- Streams: what the relay says, and what the exchange sends (proto/PROTOCOL.md section 2).

namespace {

using rendezvous::v1::Opened;

// A PeerStatus may overtake frames: when it says that the peer has left, frames of the peer may
// still be on their way.
// When nothing of the peer's has come for so long, the exchange asks for a new Opened.
constexpr absl::Duration kRestPatience = absl::Seconds(1);

}  // namespace

// --- Opened.

void ExchangeMachine::OnOpened(const Opened& opened) {
  if (!IsExpected(opened)) return RejectStream("the relay's answer makes no sense");
  const bool waiting = opened.state() == Opened::STATE_WAITING;
  link_.OnOpened(waiting, ToDuration(opened.heartbeat_interval()), now_.steady);
  answered_ = true;
  unanswered_ = false;
  if (waiting && closing()) return End();  // dropping the stream withdraws the wait
  ShowMotd(opened.motd());
  if (waiting) return OnWaiting();
  BeginStream(opened);
  if (closing()) return SendClose();
  if (const std::string why = Staleness(opened); !why.empty()) {
    return Fail(Failure(Reason::kStaleState, absl::StatusCode::kFailedPrecondition,
                        absl::StrCat(Place(state_), ": ", why,
                                     "; this copy of the state is too old. Resume from the newest "
                                     "one, or begin again with a new code",
                                     GuessNote(state_))),
                opened.left() ? rendezvous::v1::MOOD_UNSPECIFIED : rendezvous::v1::MOOD_ERRORY);
  }
  OnPeer(opened.peer());
  Advance();
}

bool ExchangeMachine::IsExpected(const Opened& opened) const {
  const uint32_t own_id = state_.channel_id != 0 ? state_.channel_id : state_.agreed_id;
  if (opened.channel_id() == 0 || opened.channel_id() > wire::kMaxChannelId) return false;
  if (own_id != 0 && opened.channel_id() != own_id) return false;
  if (opened.state() == Opened::STATE_WAITING) {
    return link_.phase() == Link::Phase::kOpening && state_.terms.wait && !state_.joined;
  }
  return opened.state() == Opened::STATE_ATTACHED && !link_.attached();
}

void ExchangeMachine::OnWaiting() {
  Tell(ProgressEvent::Kind::kWaiting, "waiting for the other side to open this code");
  DetachIfDrained();
}

void ExchangeMachine::BeginStream(const Opened& opened) {
  if (!state_.joined) {
    state_.joined = true;
    state_.channel_id = opened.channel_id();
    changed_ = true;
  }
  stream_.window = SendWindow(opened);
  // The exchange awaits nothing behind the peer's last frame, whatever the relay says.
  stream_.peer_stored = std::min(opened.peer_stored(), state_.peer_total());
  stream_.peer_log_ends = opened.peer() == rendezvous::v1::PRESENCE_LEFT;
}

// Section 7: what shows that this state is older than what the two sides have done already; empty:
// nothing does. Any copy can make all own frames again, but not those that it has dropped itself,
// nor what the relay has forgotten of the peer's.
std::string ExchangeMachine::Staleness(const Opened& opened) const {
  if (opened.left()) return "this side has finished and left already";
  if (opened.stored() > state_.own_total() || opened.peer_cursor() > state_.own_total()) {
    return "the relay has more messages of this side than it can have sent";
  }
  if (opened.stored() < state_.dropped) return "the relay has lost messages of this side";
  if (state_.cursor < std::min(opened.peer_forgotten(), state_.peer_total())) {
    return "the relay has let go of messages that this side still needs";
  }
  return "";
}

// --- Later responses.

void ExchangeMachine::OnMessage(const rendezvous::v1::Message& message) {
  if (!link_.attached()) return RejectStream("the relay spoke out of turn");
  if (closing()) return;
  // No session is open, so that the peer's last frame is its Sealed 0. A frame behind that is no
  // part of the exchange, and the relay may have made it up: neither its content nor its time may
  // matter.
  if (message.number() > state_.peer_total()) return;
  stream_.peer_stored = std::max(stream_.peer_stored, message.number());
  if (message.number() <= state_.cursor) return;
  if (message.number() > state_.cursor + 1) return LoseStream("the relay left out a message");
  const bool was_confirmed = state_.confirmed;
  if (const FrameVerdict verdict = TakePeerFrame(state_, message.frame());
      verdict != FrameVerdict::kAccepted) {
    return OnBadFrame(verdict);
  }
  changed_ = true;
  stream_.unacked_bytes += message.frame().size();
  link_.OnProgress();  // no cursor is reached twice
  if (stream_.rest_due) stream_.rest_due = now_.steady + kRestPatience;
  if (state_.confirmed && !was_confirmed) Emit(VerifierReady{VerifierText(state_)});
  Advance();
}

void ExchangeMachine::OnPosted(const rendezvous::v1::Posted& posted) {
  if (!link_.attached() || posted.number() > stream_.window.sent()) {
    return RejectStream("the relay confirmed what it was not sent");
  }
  if (closing() || posted.number() <= stream_.window.posted()) return;
  stream_.window.OnPosted(posted.number());
  NotePosted(posted.number());
  Advance();
}

void ExchangeMachine::NotePosted(uint64_t number) {
  if (number <= state_.posted) return;
  state_.posted = number;
  changed_ = true;
  link_.OnProgress();
}

void ExchangeMachine::OnPeerStatus(const rendezvous::v1::PeerStatus& status) {
  if (!link_.attached()) return RejectStream("the relay spoke out of turn");
  if (closing()) return;
  if (status.peer_cursor() > state_.own_total()) {
    return Fail(Failure(Reason::kStaleState, absl::StatusCode::kFailedPrecondition,
                        absl::StrCat(Place(state_),
                                     ": the other side has more messages of this "
                                     "side than it can have sent; resume from the "
                                     "newest copy of the state",
                                     GuessNote(state_))),
                rendezvous::v1::MOOD_ERRORY);
  }
  stream_.window.OnPeerCursor(status.peer_cursor());
  presence_notifier_.OnThirdParties(status.third_parties());
  OnPeer(status.presence());
  AwaitRest();
  Advance();
}

// Only an Opened says where the log of a peer that has left ends (PeerIsDone).
void ExchangeMachine::AwaitRest() {
  if (stream_.peer != rendezvous::v1::PRESENCE_LEFT || stream_.peer_log_ends) {
    stream_.rest_due.reset();
  } else if (!stream_.rest_due) {
    stream_.rest_due = now_.steady + kRestPatience;
  }
}

bool ExchangeMachine::AwaitsRest() const {
  return stream_.rest_due && link_.attached() && !closing() && !state_.peer_data;
}

// Whether the peer has left, and this side has read its whole log: the rest will never come.
bool ExchangeMachine::PeerIsDone() const {
  return stream_.peer_log_ends && !state_.peer_data && state_.cursor >= stream_.peer_stored;
}

void ExchangeMachine::OnDraining(const rendezvous::v1::Draining& draining) {
  if (draining.has_reconnect_delay()) link_.OnDraining(ToDuration(draining.reconnect_delay()));
}

void ExchangeMachine::OnPeer(rendezvous::v1::Presence presence) {
  stream_.peer = presence;
  presence_notifier_.OnPresence(presence);
  Notify();
}

bool ExchangeMachine::MayNotify() const { return !closing() && link_.attached(); }

void ExchangeMachine::Notify() {
  if (!MayNotify()) return;
  for (ProgressEvent& event : presence_notifier_.Take(now_.steady)) Emit(std::move(event));
}

void ExchangeMachine::ShowMotd(const std::string& motd) {
  if (motd.empty() || motd == motd_) return;
  motd_ = motd;
  Tell(ProgressEvent::Kind::kMotd, motd);
}

// --- Sending. Advance does all that the logs and the window allow by now.

void ExchangeMachine::Advance() {
  if (PeerIsDone()) return OnUnfinishedPeer();  // before it makes an answer for nobody
  const uint64_t made = state_.made();
  if (absl::Status status = MakeDueFrames(state_); !status.ok()) {
    return Fail(WithReason(std::move(status), Reason::kInternal), rendezvous::v1::MOOD_ERRORY);
  }
  if (state_.made() != made) changed_ = true;
  AnnounceCode();
  if (absl::Status status = CheckFrameSizes(); !status.ok()) {
    return Fail(std::move(status), rendezvous::v1::MOOD_ERRORY);
  }
  PostFrames();
  TrimFrames();
  if (state_.peer_data && state_.made() == state_.own_total() &&
      stream_.window.posted() >= state_.own_total()) {
    return Finish();
  }
  AckIfHalfTheWindow();
  DetachIfDrained();
}

void ExchangeMachine::AnnounceCode() {
  if (state_.terms.role != pake::Role::kInitiator || state_.confirmed || code_told_) return;
  code_told_ = true;
  SaveIfChanged();
  const std::string_view words = state_.words().string(pake::SecretAccess{});
  Emit(CodeReady{Code{state_.channel_id, std::string(words)}.ToString()});
}

void ExchangeMachine::PostFrames() {
  // The relay has lost frames that this side has dropped. Only a finished exchange gets here: any
  // other has failed by Staleness.
  if (stream_.window.sent() < state_.dropped) return;
  while (stream_.window.sent() < state_.made() && MayPost(stream_.window.sent() + 1)) {
    const uint64_t number = stream_.window.sent() + 1;
    stream_.window.OnSent(number);
    SaveIfChanged();
    AttachRequest request;
    request.mutable_post()->set_number(number);
    request.mutable_post()->set_frame(state_.frames[number - state_.dropped - 1]);
    Emit(Send{std::move(request)});
  }
}

absl::Status ExchangeMachine::CheckFrameSizes() const {
  for (uint64_t n = std::max(stream_.window.sent(), state_.dropped) + 1; n <= state_.made(); ++n) {
    const size_t size = state_.frames[n - state_.dropped - 1].size();
    if (size <= stream_.window.max_frame_bytes()) continue;
    return Failure(
        Reason::kRefused, absl::StatusCode::kFailedPrecondition,
        absl::StrCat("message ", n, " on ", Place(state_), " has ", size,
                     " bytes, and the relay takes at most ", stream_.window.max_frame_bytes(),
                     "; send less, or use another relay", GuessNote(state_)));
  }
  return absl::OkStatus();
}

bool ExchangeMachine::MayPost(uint64_t number) const {
  if (!stream_.window.Admits(number, state_)) return false;
  if (number <= stream_.window.peer_cursor()) return true;
  // A peer that has left takes nothing more. First the exchange reads what the peer has sent; if it
  // is not finished by that, the relay's refusal ends it.
  return stream_.peer != rendezvous::v1::PRESENCE_LEFT || state_.cursor >= stream_.peer_stored;
}

void ExchangeMachine::TrimFrames() {
  const uint64_t passed = std::min(stream_.window.posted(), stream_.window.peer_cursor());
  while (!state_.frames.empty() && state_.dropped < passed) {
    state_.frames.pop_front();
    ++state_.dropped;
  }
}

void ExchangeMachine::AckIfHalfTheWindow() {
  if (state_.cursor <= stream_.acked) return;
  if (2 * (state_.cursor - stream_.acked) >= stream_.window.frames() ||
      2 * stream_.unacked_bytes >= stream_.window.bytes()) {
    Ack();
  }
}

void ExchangeMachine::Ack() {
  if (state_.cursor <= stream_.acked) return;
  SaveIfChanged();
  AttachRequest request;
  request.mutable_ack()->set_number(state_.cursor);
  Emit(Send{std::move(request)});
  stream_.acked = state_.cursor;
  stream_.unacked_bytes = 0;
}

// In check-in mode: leaves when there is nothing to read or to post until the other side has been
// here. That holds while WAITING, too.
void ExchangeMachine::DetachIfDrained() {
  if (!state_.terms.check_in || closing()) return;
  if (state_.cursor < stream_.peer_stored) return;
  if (stream_.window.posted() < stream_.window.sent()) return;
  if (link_.attached()) Ack();
  Emit(DropStream{});
  link_.BySchedule(now_.steady);
}

void ExchangeMachine::LoseStream(std::string_view why, bool silent) {
  Emit(DropStream{.silent = silent});
  link_.OnLost(now_.steady);
  if (closing() && !state_.joined) return End();
  TellDisconnected(why);
}

void ExchangeMachine::RejectStream(std::string_view why) {
  Emit(DropStream{});
  link_.BySchedule(now_.steady);
  if (closing() && !state_.joined) return End();
  TellDisconnected(why);
}

// --- Ends (proto/PROTOCOL.md sections 5 and 6).

namespace {

using rendezvous::v1::Mood;

constexpr absl::Duration kFailedRetry = absl::Seconds(1);
// How long a finished exchange tries to close its channel. It has succeeded, and its peer needs
// nothing more: an unclosed channel costs the relay a little until it expires. That is worth half a
// minute, not the hours that the timeout may have left and that would keep a program from ending.
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

// Saves before it tells: an application that hears of the end may exit at once, and a code that was
// burnt but not saved as burnt could be guessed at again.
void ExchangeMachine::Settle(Effect outcome) {
  SaveIfChanged();
  outcome_unsure_ = saves_;
  told_ = true;
  effects_.push_back(std::move(outcome));
}

void ExchangeMachine::OnBadFrame(FrameVerdict verdict) {
  if (verdict == FrameVerdict::kNoCommonVersion) {
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
      absl::FormatDuration(state_.terms.timeout), " on ", Place(state_));
  if (!trouble_.empty()) absl::StrAppend(&message, "; the last trouble was: ", trouble_);
  absl::StrAppend(&message, "; begin again with a new code, or a longer timeout",
                  GuessNote(state_));
  Fail(Failure(Reason::kTimeout, absl::StatusCode::kDeadlineExceeded, message),
       rendezvous::v1::MOOD_LONELY);
}

// The transport's message comes first, since it begins with what to do.
absl::Status ExchangeMachine::Unreached() const {
  std::string message =
      absl::StrCat(trouble_.empty() ? "check the relay's name and the network" : trouble_, "; ",
                   state_.terms.relay.empty() ? "the relay" : state_.terms.relay,
                   " could not be reached within ", absl::FormatDuration(state_.terms.timeout));
  if (state_.terms.relay == kDefaultRendezvous &&
      absl::StartsWith(kDefaultRendezvous, "localhost:")) {
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
      return;  // the relay may be joining this side right now: its answer decides
    case Link::Phase::kWaiting:
    case Link::Phase::kStopped:
      return End();  // nothing has been claimed, or nothing sent
    case Link::Phase::kDown:
      if (!state_.joined) return End();
      return;  // the next try is due now
  }
}

// Posts what is missing first: a relay may have lost what it had confirmed.
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

// Another copy of this state is running: leaves the channel to it.
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
