// What the switchboard tells of what it does, for those who watch a relay.
//
// Each of several relays over one store tells what it has done itself, so that the sum is what has
// happened. The exception is kPaired: the relay that the later side comes to tells it. A relay
// forgets who was attached when its last stream of the channel ends. So a side that is away for a
// moment, and comes back to its peer at another relay, is told as paired once more. Two sides that
// come to two relays at the same time may be told by neither.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_OBSERVER_H_
#define WORMHOLE_RELAY_SWITCHBOARD_OBSERVER_H_

#include <cstddef>
#include <string>

#include "relay/channel/record.h"

namespace wormhole::relay {

// A change of a channel. If the change is one of the record, it is stored.
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

// Called by any thread. No method may block.
class SwitchboardObserver {
 public:
  virtual ~SwitchboardObserver() = default;

  // Called without locks. Events of one channel may overtake each other when different threads made
  // them.
  virtual void OnEvent(const ChannelEvent& event) = 0;

  // A client has posted a frame, for the first time. Called under locks: it may count, and must
  // call nothing.
  virtual void OnFrame(const std::string& app_id, size_t bytes) = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_OBSERVER_H_
