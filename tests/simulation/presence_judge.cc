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

void PresenceJudge::OnOver(uint64_t stream, absl::Duration now) {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  Place& place = places_[found->second.side];
  place.streams.erase(stream);
  place.since = now;
}

std::optional<std::string> PresenceJudge::OnSaid(uint64_t stream, const AttachResponse& response,
                                                 absl::Duration now) {
  Stream& listener = streams_[stream];
  if (response.has_opened()) listener.peer = response.opened().peer();
  if (response.has_peer_status()) listener.peer = response.peer_status().presence();
  if (listener.peer != rendezvous::v1::PRESENCE_ATTACHED) return std::nullopt;
  const std::string peer = store_->PeerOf(listener.side.first, listener.side.second);
  const auto place = places_.find({listener.side.first, peer});
  if (place == places_.end() || !place->second.streams.empty()) return std::nullopt;
  const absl::Duration known =
      std::max(place->second.since, store_->InTouchSince()) + store_->Lease();
  if (now <= known + store_->TimeToAgree()) return std::nullopt;
  return absl::StrCat("stream ", stream, " is told that its peer is attached, which has no stream");
}

}  // namespace wormhole::simulation
