#include "tests/conformance/peer.h"

#include <algorithm>
#include <utility>

#include "tests/conformance/refusal.h"

namespace wormhole::conformance {
namespace {

constexpr std::chrono::seconds kPatience(40);

}  // namespace

Peer::Peer(std::string relay, std::string app_id, Role role, std::string data, Bends bends,
           Manners manners)
    : app_id_(std::move(app_id)),
      manners_(std::move(manners)),
      side_(role, app_id_, std::move(data), std::move(bends)),
      channel_(ConnectTo(relay)) {}

void Peer::Log(const std::string& what) {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  log_ += "    " + std::to_string(passed.count()) + " " + what.substr(0, 160) + "\n";
}

void Peer::Send(const AttachRequest& request) {
  Log("-> " + request.ShortDebugString());
  stream_->Send(request);
}

std::optional<AttachResponse> Peer::Receive() {
  std::optional<AttachResponse> response = stream_->Receive();
  Log(response ? "<- " + response->ShortDebugString() : "the stream is over");
  return response;
}

// The relay's first word decides.
bool Peer::Attach(const AttachRequest& open) {
  stream_ = std::make_unique<RawStream>(channel_, kPatience);
  Send(open);
  const std::optional<AttachResponse> first = Receive();
  if (!first || !first->has_opened()) {
    end_ = stream_->Finish();
    return false;
  }
  channel_id_ = first->opened().channel_id();
  posted_ = std::min<size_t>(first->opened().stored(), frames_.size());
  heard_posted_ = first->opened().stored();
  return true;
}

bool Peer::Allocate() { return Attach(conformance::Allocate(app_id_, side_.token())); }

void Peer::Play(uint32_t channel_id, const std::string& words) {
  const bool initiator = side_.role() == Role::kInitiator;
  if (!initiator && !Attach(Claim(app_id_, side_.token(), channel_id))) return;
  if (manners_.accepts_ahead > 0) Send(Ack(manners_.accepts_ahead));
  side_.Learn(channel_id, manners_.words.empty() ? words : manners_.words);
  while (true) {
    if (side_.taken() > 0) Claims();
    const bool leaves = manners_.leaves_at && side_.taken() >= *manners_.leaves_at;
    if (leaves && !manners_.posts_before_it_leaves) return Leave(manners_.mood);
    if (!PostDue()) return;
    if (leaves) return Leave(manners_.mood);
    if (!wrong_.empty()) return Leave(rendezvous::v1::MOOD_SCARY);
    const bool all = posted_ == frames_.size() && heard_posted_ >= posted_;
    if (side_.finished() && all && (!manners_.stays || client_left_))
      return Leave(rendezvous::v1::MOOD_HAPPY);
    const std::optional<AttachResponse> response = Receive();
    if (!response) break;
    Hear(*response);
  }
  end_ = stream_->Finish();
}

void Peer::Hear(const AttachResponse& response) {
  if (response.has_posted()) heard_posted_ = std::max(heard_posted_, response.posted().number());
  if (response.has_peer_status()) {
    client_left_ = response.peer_status().presence() == rendezvous::v1::PRESENCE_LEFT;
  }
  if (!response.has_message() || response.message().number() != side_.taken() + 1) return;
  const std::string what = side_.Take(response.message().frame());
  if (wrong_.empty()) wrong_ = what;
}

// False when the channel is over. What is heard meanwhile may make more of them due.
bool Peer::PostDue() {
  while (true) {
    for (std::string& frame : side_.Due()) frames_.push_back(std::move(frame));
    if (side_.made_all() && !std::exchange(more_made_, true)) {
      frames_.insert(frames_.end(), manners_.more.begin(), manners_.more.end());
    }
    if (posted_ == frames_.size()) return true;
    Send(Post(posted_ + 1, frames_[posted_]));
    ++posted_;
    if (manners_.cuts_after_each_post && !CutAndResume()) return false;
  }
}

// Once the last post is stored.
bool Peer::CutAndResume() {
  while (heard_posted_ < posted_) {
    const std::optional<AttachResponse> response = Receive();
    if (!response) break;
    Hear(*response);
  }
  Log("cuts the stream");
  stream_->Cancel();
  stream_->Finish();
  return Attach(Resume(app_id_, side_.token(), channel_id_, side_.taken()));
}

void Peer::Claims() {
  for (; third_parties_ < manners_.third_parties; ++third_parties_) {
    RawStream other(channel_, kPatience);
    other.Send(Claim(app_id_, RandomBytes(32), channel_id_));
    other.Finish();
  }
}

void Peer::Leave(rendezvous::v1::Mood mood) {
  Send(Ack(side_.taken()));
  Send(CloseIn(mood));
  end_ = stream_->Finish();
}

rendezvous::v1::Mood Peer::closed_in() const {
  const auto detail = DetailOf(end_);
  return detail ? detail->mood() : rendezvous::v1::MOOD_UNSPECIFIED;
}

}  // namespace wormhole::conformance
