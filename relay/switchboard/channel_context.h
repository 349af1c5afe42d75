// What a live channel needs of its surroundings.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_CHANNEL_CONTEXT_H_
#define WORMHOLE_RELAY_SWITCHBOARD_CHANNEL_CONTEXT_H_

#include "absl/time/time.h"
#include "relay/channel/id_pool.h"
#include "relay/channel/record.h"
#include "relay/store/store.h"
#include "relay/switchboard/observer.h"
#include "relay/switchboard/options.h"

namespace wormhole::relay {

class LiveChannel;

// Thread-safe. A channel calls it under its own lock, so that no implementation may call a channel
// back from inside.
class ChannelContext {
 public:
  virtual ~ChannelContext() = default;

  virtual const SwitchboardOptions& options() const = 0;
  virtual Store& store() const = 0;
  // Whether other relays may change what is stored.
  virtual bool shared() const = 0;
  virtual SwitchboardObserver* observer() const = 0;  // null: nobody watches
  virtual absl::Time wall_now() const = 0;
  // When a client is to come back: around SwitchboardOptions::retry_delay, with jitter, so that
  // clients do not all come back at once.
  virtual absl::Duration RetryDelay() const = 0;

  // What the channel has learned of its id.
  virtual void SetId(const ChannelKey& key, IdState state) = 0;
  // The channel accepts no more operations: whoever comes next for its id gets a new one.
  virtual void OnRetired(const ChannelKey& key, const LiveChannel* channel) = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_CHANNEL_CONTEXT_H_
