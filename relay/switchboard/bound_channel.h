// What a stream may ask of the channel that it is bound to.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_BOUND_CHANNEL_H_
#define WORMHOLE_RELAY_SWITCHBOARD_BOUND_CHANNEL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "relay/channel/record.h"

namespace wormhole::relay {

class StreamAttachment;

// Thread-safe; called without locks. A request of a stream that is no longer bound to the channel
// is ignored.
class BoundChannel {
 public:
  virtual ~BoundChannel() = default;

  virtual void Post(const std::shared_ptr<StreamAttachment>& stream, uint64_t number,
                    std::string frame) = 0;
  virtual void Ack(const std::shared_ptr<StreamAttachment>& stream, uint64_t number) = 0;
  // The stream's last request: the channel asks for no other.
  virtual void Close(const std::shared_ptr<StreamAttachment>& stream, Mood mood) = 0;
  // The stream's backlog has fallen: what was held back may follow.
  virtual void Drained(const std::shared_ptr<StreamAttachment>& stream) = 0;
  // The stream is over.
  virtual void Detach(const std::shared_ptr<StreamAttachment>& stream) = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_BOUND_CHANNEL_H_
