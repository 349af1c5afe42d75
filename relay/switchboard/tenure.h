// All that is in memory of one channel, from when the id is its own until it has ended.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_TENURE_H_
#define WORMHOLE_RELAY_SWITCHBOARD_TENURE_H_

#include <cstdint>
#include <utility>

#include "relay/channel/record.h"
#include "relay/switchboard/live_member.h"

namespace wormhole::relay {

// A channel's tenure of its id. An id is used again, so whatever belongs to one of its channels is
// in here and nowhere else: the next channel gets a new tenure. An operation that finishes, or an
// answer of the store, for the channel before holds on to that channel's tenure, and writes into
// what nobody reads any more. A channel that has ended has a tenure too, with its record alone.
struct Tenure {
  explicit Tenure(ChannelRecord record) : snapshot{.record = std::move(record)} {}

  // What the store had at some time, version 0: nothing; or what it is assumed to have.
  ChannelSnapshot snapshot;
  PerRole<LiveMember> members;
  // The observer, or another relay's, was told that both sides are attached.
  bool paired = false;
  // Posts of a version that the store no longer has wait for this load (LoadTracker).
  uint64_t posts_need_load = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_TENURE_H_
