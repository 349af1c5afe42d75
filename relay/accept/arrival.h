// What becomes of a connection that comes in.
#ifndef WORMHOLE_RELAY_ACCEPT_ARRIVAL_H_
#define WORMHOLE_RELAY_ACCEPT_ARRIVAL_H_

#include "proto/net/address.h"

namespace wormhole::relay {

enum class Arrival {
  // Let in:
  kAdmitted,
  kProxysOwn,  // from a proxy, and for no client: it says so, or has no header
  // Gone without a word, from a proxy, which checks whether somebody listens:
  kProxysCheck,
  // Refused:
  kTooManyInAll,
  kTooManyFromAddress,
  kTooOften,        // the address connects more often than it may
  kShortOfMemory,   // the process is: nobody new is let in
  kNoDescriptors,   // the process, or the system, has none left for it
  kHeaderMissing,   // from a proxy whose header has not come in time
  kHeaderBroken,    // from a proxy whose header cannot be read
  kTooManyHeaders,  // from a proxy, of which too many are still to send theirs
};

class AcceptObserver {
 public:
  virtual ~AcceptObserver() = default;

  // Once for each connection. The accept loop's thread; it may not block.
  virtual void OnArrival(Arrival arrival) = 0;

  // And of whom, before that, for those whose client is known: let in, or refused for a cap.
  virtual void OnClient(Arrival, const net::Address& /*client*/) {}

  // One that was of no use has been ended, so that a newcomer could come.
  virtual void OnGaveWay() {}
  // A connection was cut off by AcceptLoop::CutUnread. On any thread.
  virtual void OnFlooding() {}
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_ACCEPT_ARRIVAL_H_
