// What the switchboard tells of what it does, for those who watch a relay. Of several relays over
// one store each tells what it has done itself, so that the sum is what has happened; but for
// kPaired, which the relay tells that the later side comes to. That forgets who was there when its
// last stream of the channel ends: a side that is away for a moment and comes back to its peer at
// another relay is told once more. Sides that come to two relays at once may be told by neither.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_OBSERVER_H_
#define WORMHOLE_RELAY_SWITCHBOARD_OBSERVER_H_

#include <cstddef>
#include <string>

#include "relay/channel/record.h"

namespace wormhole::relay {

// Something has become of a channel, and is stored if it is stored at all.
struct ChannelEvent {
  enum class Kind {
    kAllocated,
    kClaimed,  // a receiver has joined
    kPaired,   // both sides are attached; anew after a time in which neither was
    kCrowded,  // a third party's claim was refused, or it had waited and came too late
    kClosed,   // for both sides
    kExpired,
  };

  Kind kind = Kind::kAllocated;
  ChannelKey key;
  Mood mood = rendezvous::v1::MOOD_UNSPECIFIED;  // with kClosed
};

// Called by any thread. Nothing of it may block.
class SwitchboardObserver {
 public:
  virtual ~SwitchboardObserver() = default;

  // Without locks. Events of one channel may overtake each other when different threads have made
  // them.
  virtual void OnEvent(const ChannelEvent& event) = 0;

  // A client has posted a frame, not for the second time. Under locks: it may count, and call
  // nothing.
  virtual void OnFrame(const std::string& app_id, size_t bytes) = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_OBSERVER_H_
