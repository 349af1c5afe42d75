// What can be seen of a switchboard from outside: how many there are of what, and which channels.
// Never what a frame holds, a token or a side.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_SWITCHBOARD_VIEW_H_
#define WORMHOLE_RELAY_SWITCHBOARD_SWITCHBOARD_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "relay/channel/record.h"

namespace wormhole::relay {

// Ids are those of the store, and so of all relays over it; the rest is of this relay.
struct SwitchboardCounts {
  size_t apps = 0;              // that have an id in use or at rest
  size_t active_channels = 0;   // ids of channels that have not ended
  size_t resting_channels = 0;  // ids of ended ones, in quarantine
  size_t streams = 0;  // attached here in any way, the ones that have said nothing included
  // Members with a stream here, by whether their peer has one (here, or at another relay as far as
  // this one knows).
  size_t sides_alone = 0;
  size_t sides_paired = 0;
  size_t waiting = 0;  // receivers that have come first
};

struct AppView {
  std::string app_id;
  size_t active_channels = 0;
  size_t resting_channels = 0;
};

enum class SideView : uint8_t {
  kAbsent,     // nobody has joined
  kDetached,   // a member without a stream
  kHere,       // attached at this relay
  kElsewhere,  // at another relay over the same store
  kLeft,
};

struct ChannelView {
  ChannelKey key;
  ChannelSnapshot snapshot;  // record.version 0 is never shown
  PerRole<SideView> sides;
  size_t waiting = 0;  // receivers that wait for the id here
};

// One page of Switchboard::ListChannels.
struct ChannelPage {
  std::vector<ChannelView> channels;
  std::optional<ChannelKey> next;
  absl::Time as_of;  // by the clock that channels end by
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_SWITCHBOARD_VIEW_H_
