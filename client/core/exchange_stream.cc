// What a stream says to an exchange, and what it is told (proto/PROTOCOL.md section 2).

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/core/code.h"
#include "client/core/exchange_machine.h"
#include "client/core/handshake.h"

namespace wormhole::core {
namespace {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::Opened;

constexpr uint32_t kMaxChannelId = 999'999'999;
// Guaranteed by the protocol; a relay that names less is not believed.
constexpr uint64_t kMinWindowFrames = 4;
constexpr uint64_t kMinWindowBytes = 256 * 1024;
// When the relay names none. One that names less is believed: it would refuse the frame.
constexpr uint64_t kDefaultMaxFrameBytes = 66'000;
// A peer that has left as far as a PeerStatus tells may have frames on their way still: the two
// overtake each other. So long nothing of the peer's must have come before a new Opened is asked.
constexpr absl::Duration kRestPatience = absl::Seconds(1);
// Coming and going of others is told at once so many times, and then once in a while: a relay that
// makes it up must not keep the application busy.
constexpr int kPromptNews = 8;
constexpr absl::Duration kNewsInterval = absl::Seconds(1);

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
  if (opened.channel_id() == 0 || opened.channel_id() > kMaxChannelId) return false;
  if (own_id != 0 && opened.channel_id() != own_id) return false;
  if (opened.state() == Opened::STATE_WAITING) {
    return link_.phase() == Link::Phase::kOpening && state_.wait && !state_.joined;
  }
  return opened.state() == Opened::STATE_ATTACHED && !link_.attached();
}

void ExchangeMachine::OnWaiting() {
  Tell(Progress::Kind::kWaiting, "waiting for the other side to open this code");
  DetachIfDrained();
}

void ExchangeMachine::BeginStream(const Opened& opened) {
  if (!state_.joined) {
    state_.joined = true;
    state_.channel_id = opened.channel_id();
    changed_ = true;
  }
  stream_.posted = opened.stored();
  stream_.sent = opened.stored();
  stream_.peer_cursor = opened.peer_cursor();
  // Behind the peer's last frame nothing is awaited, whatever the relay says.
  stream_.peer_stored = std::min(opened.peer_stored(), state_.peer_total());
  stream_.peer_log_ends = opened.peer() == rendezvous::v1::PRESENCE_LEFT;
  stream_.window_frames = std::max<uint64_t>(opened.limits().window_frames(), kMinWindowFrames);
  stream_.window_bytes = std::max<uint64_t>(opened.limits().window_bytes(), kMinWindowBytes);
  stream_.max_frame_bytes = opened.limits().max_frame_bytes() == 0
                                ? kDefaultMaxFrameBytes
                                : opened.limits().max_frame_bytes();
}

// Section 7: what shows that this state is older than what the two sides have done already. All
// frames up to the exchange's last can be made again from any copy; what was dropped or forgotten
// cannot.
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
  // No session is open, so that the peer's last frame is its Sealed 0. What is said to be behind it
  // is no part of the exchange, and nothing vouches for it: it must not matter what it is, nor when
  // it comes.
  if (message.number() > state_.peer_total()) return;
  stream_.peer_stored = std::max(stream_.peer_stored, message.number());
  if (message.number() <= state_.cursor) return;
  if (message.number() > state_.cursor + 1) return LoseStream("the relay left out a message");
  const bool was_confirmed = state_.confirmed;
  if (const Taken taken = TakePeerFrame(state_, message.frame()); taken != Taken::kAccepted) {
    return OnBadFrame(taken);
  }
  changed_ = true;
  stream_.unacked_bytes += message.frame().size();
  link_.OnProgress();  // no cursor is reached twice
  if (stream_.rest_due) stream_.rest_due = now_.steady + kRestPatience;
  if (state_.confirmed && !was_confirmed) Emit(VerifierReady{VerifierText(state_)});
  Advance();
}

void ExchangeMachine::OnPosted(const rendezvous::v1::Posted& posted) {
  if (!link_.attached() || posted.number() > stream_.sent) {
    return RejectStream("the relay confirmed what it was not sent");
  }
  if (closing() || posted.number() <= stream_.posted) return;
  stream_.posted = posted.number();
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
  stream_.peer_cursor = status.peer_cursor();
  stream_.third_parties = std::max(stream_.third_parties, status.third_parties());
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

// It has left, and what it has left behind is read: the rest will never come.
bool ExchangeMachine::PeerIsDone() const {
  return stream_.peer_log_ends && !state_.peer_data && state_.cursor >= stream_.peer_stored;
}

void ExchangeMachine::OnDraining(const rendezvous::v1::Draining& draining) {
  if (draining.has_reconnect_delay()) link_.OnDraining(ToDuration(draining.reconnect_delay()));
}

void ExchangeMachine::OnPeer(rendezvous::v1::Presence presence) {
  stream_.peer = presence;
  TellPeerNews();
}

bool ExchangeMachine::PeerNews() const {
  if (closing() || !link_.attached()) return false;
  if (stream_.third_parties > stream_.third_parties_told) return true;
  return stream_.peer != rendezvous::v1::PRESENCE_LEFT &&
         stream_.peer_told != (stream_.peer == rendezvous::v1::PRESENCE_ATTACHED);
}

// What comes too often is told by a later Wake, as it is then.
void ExchangeMachine::TellPeerNews() {
  if (!PeerNews() || (news_told_ >= kPromptNews && now_.steady < news_due_)) return;
  if (news_told_ < kPromptNews) ++news_told_;
  news_due_ = now_.steady + kNewsInterval;
  if (stream_.third_parties > stream_.third_parties_told) {
    stream_.third_parties_told = stream_.third_parties;
    Tell(Progress::Kind::kThirdParty,
         "somebody else tried this code's number and was turned away; if the exchange fails, use a "
         "new code");
  }
  const bool here = stream_.peer == rendezvous::v1::PRESENCE_ATTACHED;
  if (stream_.peer == rendezvous::v1::PRESENCE_LEFT || stream_.peer_told == here) return;
  stream_.peer_told = here;
  if (here) {
    Tell(Progress::Kind::kPeerArrived, "the other side is here");
  } else {
    Tell(Progress::Kind::kWaiting, "waiting for the other side");
  }
}

void ExchangeMachine::ShowMotd(const std::string& motd) {
  if (motd.empty() || motd == motd_) return;
  motd_ = motd;
  Tell(Progress::Kind::kMotd, motd);
}

// --- What is said on it. Everything that the logs and the window allow by now.

void ExchangeMachine::Advance() {
  if (PeerIsDone()) return OnUnfinishedPeer();  // before an answer is made that nobody would take
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
      stream_.posted >= state_.own_total()) {
    return Finish();
  }
  AckIfHalfTheWindow();
  DetachIfDrained();
}

void ExchangeMachine::AnnounceCode() {
  if (state_.role != pake::Role::kInitiator || state_.confirmed || code_told_) return;
  code_told_ = true;
  SaveIfChanged();
  const std::string_view words = state_.words().string(pake::SecretAccess{});
  Emit(CodeReady{Code{state_.channel_id, std::string(words)}.ToString()});
}

void ExchangeMachine::PostFrames() {
  // Only a finished exchange gets here when the relay has lost what was dropped; others have ended.
  if (stream_.sent < state_.dropped) return;
  while (stream_.sent < state_.made() && MayPost(stream_.sent + 1)) {
    const uint64_t number = ++stream_.sent;
    SaveIfChanged();
    AttachRequest request;
    request.mutable_post()->set_number(number);
    request.mutable_post()->set_frame(state_.frames[number - state_.dropped - 1]);
    Emit(Send{std::move(request)});
  }
}

absl::Status ExchangeMachine::CheckFrameSizes() const {
  for (uint64_t n = std::max(stream_.sent, state_.dropped) + 1; n <= state_.made(); ++n) {
    const size_t size = state_.frames[n - state_.dropped - 1].size();
    if (size <= stream_.max_frame_bytes) continue;
    return Failure(Reason::kRefused, absl::StatusCode::kFailedPrecondition,
                   absl::StrCat("message ", n, " on ", Place(state_), " has ", size,
                                " bytes, and the relay takes at most ", stream_.max_frame_bytes,
                                "; send less, or use another relay", GuessNote(state_)));
  }
  return absl::OkStatus();
}

bool ExchangeMachine::MayPost(uint64_t number) const {
  if (state_.frames[number - state_.dropped - 1].size() > stream_.max_frame_bytes) return false;
  if (number <= stream_.peer_cursor) return true;
  // A peer that has left takes nothing more. What it has sent decides: it is read first, and if
  // frames are still missing then, the relay's refusal is the last word.
  if (stream_.peer == rendezvous::v1::PRESENCE_LEFT && state_.cursor < stream_.peer_stored) {
    return false;
  }
  uint64_t bytes = 0;
  for (uint64_t n = std::max(stream_.peer_cursor, state_.dropped) + 1; n <= number; ++n) {
    bytes += state_.frames[n - state_.dropped - 1].size();
  }
  return number - stream_.peer_cursor <= stream_.window_frames && bytes <= stream_.window_bytes;
}

void ExchangeMachine::TrimFrames() {
  const uint64_t passed = std::min(stream_.posted, stream_.peer_cursor);
  while (!state_.frames.empty() && state_.dropped < passed) {
    state_.frames.pop_front();
    ++state_.dropped;
  }
}

void ExchangeMachine::AckIfHalfTheWindow() {
  if (state_.cursor <= stream_.acked) return;
  if (2 * (state_.cursor - stream_.acked) >= stream_.window_frames ||
      2 * stream_.unacked_bytes >= stream_.window_bytes) {
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

// Check-in mode: nothing is left to do until the other side has been here. WAITING has nothing to
// read or to post either.
void ExchangeMachine::DetachIfDrained() {
  if (!state_.check_in || closing()) return;
  if (state_.cursor < stream_.peer_stored || stream_.posted < stream_.sent) return;
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

}  // namespace wormhole::core
