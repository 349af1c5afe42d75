// What the stores agree on about sides.
#ifndef WORMHOLE_RELAY_CHANNEL_SIDE_RULES_H_
#define WORMHOLE_RELAY_CHANNEL_SIDE_RULES_H_

#include <algorithm>
#include <string_view>

#include "relay/channel/record.h"

namespace wormhole::relay {

inline bool HasMember(const ChannelRecord& record, std::string_view side) {
  return std::any_of(record.members.begin(), record.members.end(),
                     [side](const Member& member) { return member.side == side; });
}

// Whether `record` is a new channel in the place of `stored`, which has ended and whose sides rest
// from then on.
inline bool TakesThePlaceOf(const ChannelRecord& stored, const ChannelRecord& record) {
  return stored.ended() && !(record.ended() && HasSameInitiator(stored, record));
}

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CHANNEL_SIDE_RULES_H_
