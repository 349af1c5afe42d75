// Where the switchboard's words to one stream go: implemented by a gRPC reactor in the relay and
// by a simulated network in tests.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_SINK_H_
#define WORMHOLE_RELAY_SWITCHBOARD_SINK_H_

#include <cstddef>

#include "absl/status/status.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::relay {

// Send, End and ReadMore only note what is to be done and may be called under a lock of the
// switchboard; the work (and with it any call back into the switchboard) happens in Flush, which is
// called without locks. All may be called from any thread.
class Sink {
 public:
  virtual ~Sink() = default;

  // Queues a response. Ignored after End.
  virtual void Send(rendezvous::v1::AttachResponse response) = 0;

  // Ends the stream with this status once everything queued has been written. The first one wins.
  virtual void End(absl::Status status) = 0;

  // The next request may be read. Called once for each request that was received, save a Close,
  // which is the last; not necessarily before Receive has returned.
  virtual void ReadMore() = 0;

  // Starts what has been noted since the last Flush.
  virtual void Flush() = 0;

  // Bytes queued by Send and not yet written. What the attachment was told here may have made it
  // hold responses or ReadMore back: once the backlog has fallen well below that, at the latest
  // when nothing is queued, the sink calls Attachment::Drained.
  virtual size_t Backlog() const = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_SINK_H_
