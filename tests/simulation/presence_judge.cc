#include "tests/simulation/presence_judge.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace wormhole::simulation {

using rendezvous::v1::AttachResponse;

void PresenceJudge::OnOpen(uint64_t stream, const std::string& app_id, const std::string& side,
                           absl::Duration now) {
  streams_[stream].side = {app_id, side};
  Place& place = places_[{app_id, side}];
  place.streams.insert(stream);
  place.since = now;
}

void PresenceJudge::OnClose(uint64_t stream, absl::Duration now) {
  streams_[stream].closes = true;
  Place& place = places_[streams_[stream].side];
  if (place.attached == stream) place.attached_since = now;
}

void PresenceJudge::OnEnding(uint64_t stream, const absl::Status& status, absl::Duration now) {
  LetGo(stream);
  const auto found = streams_.find(stream);
  if (found == streams_.end() || !found->second.closes || !status.ok()) return;
  if (!found->second.channel.empty()) {
    places_[found->second.side].left.try_emplace(found->second.channel, now);
  }
}

void PresenceJudge::LetGo(uint64_t stream) {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  Place& place = places_[found->second.side];
  if (place.attached == stream) place.attached.reset();
}

void PresenceJudge::OnOver(uint64_t stream, absl::Duration now) {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  Place& place = places_[found->second.side];
  place.streams.erase(stream);
  LetGo(stream);
  place.since = now;
}

std::optional<std::string> PresenceJudge::OnSaid(uint64_t stream, const AttachResponse& response,
                                                 absl::Duration now) {
  Stream& listener = streams_[stream];
  if (response.has_opened()) {
    listener.peer = response.opened().peer();
    if (response.opened().state() == rendezvous::v1::Opened::STATE_ATTACHED) {
      Place& place = places_[listener.side];
      place.attached = stream;
      place.attached_since = now;
      const auto& expires_at = response.opened().expires_at();
      listener.channel = absl::StrCat(response.opened().channel_id(), "/", expires_at.seconds(),
                                      ".", expires_at.nanos());
      listener.expires_at = absl::FromUnixSeconds(expires_at.seconds());
    }
  }
  if (response.has_peer_status()) listener.peer = response.peer_status().presence();
  const std::string peer = store_->PeerOf(listener.side.first, listener.side.second);
  const auto found = places_.find({listener.side.first, peer});
  if (found == places_.end()) return std::nullopt;
  const Place& place = found->second;
  const absl::Duration agreed = store_->Lease() + store_->TimeToAgree();
  if (now <= store_->InTouchSince() + agreed) return std::nullopt;
  // With the channel go its sides, one after the other.
  if (stage_->loop->wall() + stage_->clock_error >= listener.expires_at) return std::nullopt;
  has_judged_ = true;
  if (listener.peer == rendezvous::v1::PRESENCE_ATTACHED && place.streams.empty() &&
      now > place.since + agreed) {
    return absl::StrCat("stream ", stream,
                        " is told that its peer is attached, which has no stream");
  }
  // Who waits for a channel, or has been superseded in it, is told nothing of it.
  const bool listens = places_[listener.side].attached == stream;
  const bool away = listener.peer == rendezvous::v1::PRESENCE_DETACHED ||
                    (listens && listener.peer == rendezvous::v1::PRESENCE_ABSENT);
  if (away && place.attached.has_value() && now > place.attached_since + agreed) {
    return absl::StrCat("stream ", stream, " is told that its peer is away, which is attached");
  }
  const auto left = place.left.find(listener.channel);
  if (left == place.left.end() ||
      left->second <= store_->WentBack().value_or(-absl::InfiniteDuration())) {
    return std::nullopt;
  }
  if (listens && listener.peer != rendezvous::v1::PRESENCE_LEFT && now > left->second + agreed) {
    return absl::StrCat("stream ", stream, " is not told that its peer has left");
  }
  return std::nullopt;
}

}  // namespace wormhole::simulation
