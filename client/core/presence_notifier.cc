#include "client/core/presence_notifier.h"

#include <algorithm>

namespace wormhole::core {

using rendezvous::v1::PRESENCE_ATTACHED;
using rendezvous::v1::PRESENCE_LEFT;

void PresenceNotifier::OnStream() {
  peer_ = rendezvous::v1::PRESENCE_UNSPECIFIED;
  third_parties_ = 0;
  third_parties_told_ = 0;
  peer_told_.reset();
}

void PresenceNotifier::OnThirdParties(uint32_t count) {
  third_parties_ = std::max(third_parties_, count);
}

bool PresenceNotifier::pending() const { return pending_third_party() || pending_presence(); }

// When a peer has left, the end of the exchange tells so.
bool PresenceNotifier::pending_presence() const {
  return peer_ != PRESENCE_LEFT && peer_told_ != (peer_ == PRESENCE_ATTACHED);
}

std::vector<ProgressEvent> PresenceNotifier::Take(absl::Duration now) {
  std::vector<ProgressEvent> events;
  if (!pending() || (told_ >= kPromptNotices && now < due_)) return events;
  if (told_ < kPromptNotices) ++told_;
  due_ = now + kNoticeInterval;
  if (pending_third_party()) {
    third_parties_told_ = third_parties_;
    events.push_back({ProgressEvent::Kind::kThirdParty,
                      "somebody else tried this code's number and was turned away; if the exchange "
                      "fails, use a new code"});
  }
  if (pending_presence()) {
    const bool here = peer_ == PRESENCE_ATTACHED;
    peer_told_ = here;
    if (here) {
      events.push_back({ProgressEvent::Kind::kPeerArrived, "the other side is here"});
    } else {
      events.push_back({ProgressEvent::Kind::kWaiting, "waiting for the other side"});
    }
  }
  return events;
}

}  // namespace wormhole::core
