// The two halves of one stream at the switchboard: what the client sends goes into an Attachment,
// what the switchboard answers into a Sink. A gRPC reactor implements the sink in the relay, a
// simulated network in tests.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_STREAM_H_
#define WORMHOLE_RELAY_SWITCHBOARD_STREAM_H_

#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "proto/net/address.h"
#include "relay/admission/token_hash.h"
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

  // Whether a write has been under way since the last call of this, and none has come to its end:
  // the client does not read.
  virtual bool IsStuck() { return false; }
};

// Who opened a stream, as far as the relay can tell.
struct StreamOrigin {
  // The client's, not that of a proxy that says for whom it connects. Nothing at a path.
  std::optional<net::Address> address;
  // The hash of the bearer token that came with the stream.
  std::optional<TokenHash> token;
};

// One stream's place at the switchboard.
class Attachment {
 public:
  virtual ~Attachment() = default;

  // A request of the client, in stream order. The first must be Open.
  virtual void Receive(rendezvous::v1::AttachRequest request) = 0;

  // The sink's backlog has fallen: frames that were held back may follow.
  virtual void Drained() = 0;

  // The stream is over; the sink is not used after this returns (a Flush that another thread has
  // begun keeps it alive through its shared_ptr). Idempotent.
  virtual void Detach() = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_STREAM_H_
