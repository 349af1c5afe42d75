// Decides what to tell people about the peer and about strangers on the channel, and how often.
// Pure; times are on the steady clock.
#ifndef WORMHOLE_CLIENT_CORE_PRESENCE_NOTIFIER_H_
#define WORMHOLE_CLIENT_CORE_PRESENCE_NOTIFIER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "wormhole/progress.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::core {

// The relay says who is attached, and it may lie. Therefore this tells only the first
// kPromptNotices at once, and from then on one a second: else a relay that makes up comings and
// goings would keep the application busy. What comes too soon it tells later, as things are then.
class PresenceNotifier {
 public:
  static constexpr int kPromptNotices = 8;
  static constexpr absl::Duration kNoticeInterval = absl::Seconds(1);

  // A new stream begins: its relay has said nothing of the peer yet.
  void OnStream();
  // Both only note; Take() tells.
  void OnPresence(rendezvous::v1::Presence presence) { peer_ = presence; }
  void OnThirdParties(uint32_t count);

  // Whether there is something to tell that Take() has not told yet.
  bool pending() const;
  // When Take() will tell it; counts while pending().
  absl::Duration due() const { return due_; }
  // What is to be told at `now`: nothing when there is nothing new, or it is too soon.
  std::vector<ProgressEvent> Take(absl::Duration now);

 private:
  bool pending_third_party() const { return third_parties_ > third_parties_told_; }
  bool pending_presence() const;

  // On this stream.
  rendezvous::v1::Presence peer_ = rendezvous::v1::PRESENCE_UNSPECIFIED;
  uint32_t third_parties_ = 0;
  uint32_t third_parties_told_ = 0;
  std::optional<bool> peer_told_;  // what was told last: the peer is here, or it is not

  int told_ = 0;  // up to kPromptNotices
  absl::Duration due_;
};

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_PRESENCE_NOTIFIER_H_
