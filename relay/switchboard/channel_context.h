// What a live channel needs of its surroundings.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_CHANNEL_CONTEXT_H_
#define WORMHOLE_RELAY_SWITCHBOARD_CHANNEL_CONTEXT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "relay/channel/id_pool.h"
#include "relay/channel/post_budget.h"
#include "relay/channel/record.h"
#include "relay/store/store.h"
#include "relay/switchboard/observer.h"
#include "relay/switchboard/options.h"
#include "relay/switchboard/stream.h"

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
  virtual absl::Duration steady_now() const = 0;
  // When a client is to come back: around SwitchboardOptions::retry_delay, with jitter, so that
  // clients do not all come back at once.
  virtual absl::Duration RetryDelay() const = 0;

  // Whether there is room for a frame of so many bytes in a log that keeps so many. Costs nothing
  // when there is.
  virtual absl::Status JudgeStored(size_t frame_bytes, uint64_t log_bytes,
                                   const StreamOrigin& origin, const std::string& app_id) const = 0;
  // What the channel has learned of its id.
  virtual void SetId(const ChannelKey& key, IdState state) = 0;
  // Somebody has allocated the channel of this id; SetId follows.
  virtual void OnAllocated(const ChannelKey& key, const StreamOrigin& origin) = 0;
  // Somebody has claimed a channel that is not there, or is no longer, or is not for him.
  virtual void OnClaimFailed(const StreamOrigin& origin) = 0;
  // A side's next request has to wait: LiveChannel::Resume follows soon.
  virtual void OnPaused(std::shared_ptr<LiveChannel> channel) = 0;
  // The channel accepts no more operations: whoever comes next for its id gets a new one, and what
  // is left of this one's budget.
  virtual void OnRetired(const ChannelKey& key, const LiveChannel* channel,
                         const PostBudget& budget) = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_CHANNEL_CONTEXT_H_
