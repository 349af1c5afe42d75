// What a stream needs of its surroundings.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_STREAM_CONTEXT_H_
#define WORMHOLE_RELAY_SWITCHBOARD_STREAM_CONTEXT_H_

#include <memory>

#include "absl/time/time.h"
#include "relay/switchboard/options.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::relay {

class StreamAttachment;

// Thread-safe; called without locks.
class StreamContext {
 public:
  virtual ~StreamContext() = default;

  virtual const SwitchboardOptions& options() const = 0;
  virtual absl::Duration steady_now() const = 0;
  // The maximum age of one stream: around SwitchboardOptions::max_stream_age, with jitter.
  virtual absl::Duration StreamAge() const = 0;

  // The stream's first request: binds it to a channel, or ends it.
  virtual void Open(const std::shared_ptr<StreamAttachment>& stream, rendezvous::v1::Open open) = 0;
  // The stream is over. May come more than once, the last time from its destructor.
  virtual void OnOver(StreamAttachment* stream) = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_STREAM_CONTEXT_H_
