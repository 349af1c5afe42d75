// The live channels of a switchboard.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_LIVE_CHANNELS_H_
#define WORMHOLE_RELAY_SWITCHBOARD_LIVE_CHANNELS_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "proto/sync/mutex.h"
#include "relay/channel/record.h"
#include "relay/switchboard/live_channel.h"

namespace wormhole::relay {

// Thread-safe; its mutex is a leaf: a live channel calls Remove under its own lock, and no channel
// is called with this one held.
class LiveChannels {
 public:
  // Called under the mutex: it must not call back.
  using Make = std::function<std::shared_ptr<LiveChannel>(const ChannelKey& key)>;

  // The live channel of this id, which `make` makes if there is none, takes `operation`. False,
  // with `operation` untouched, after Shutdown.
  bool Submit(const ChannelKey& key, ChannelOp& operation, const Make& make)
      WORMHOLE_EXCLUDES(mutex_);
  // Null: there is none.
  std::shared_ptr<LiveChannel> Find(const ChannelKey& key) const WORMHOLE_EXCLUDES(mutex_);
  // In the order of their keys.
  std::vector<std::shared_ptr<LiveChannel>> All() const WORMHOLE_EXCLUDES(mutex_);
  // Sides of the channel wait until it may post again.
  void AddPaused(std::shared_ptr<LiveChannel> channel) WORMHOLE_EXCLUDES(mutex_);
  // In the order in which they came, each to be resumed.
  std::vector<std::shared_ptr<LiveChannel>> TakePaused() WORMHOLE_EXCLUDES(mutex_);
  // The channel accepts no more operations.
  void Remove(const ChannelKey& key, const LiveChannel* channel) WORMHOLE_EXCLUDES(mutex_);
  // Shuts all channels down and lets them go; from now on nobody is submitted to.
  void Shutdown() WORMHOLE_EXCLUDES(mutex_);

 private:
  std::shared_ptr<LiveChannel> FindOrMake(const ChannelKey& key, const Make& make)
      WORMHOLE_EXCLUDES(mutex_);

  mutable sync::Mutex mutex_;
  bool shut_down_ WORMHOLE_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<ChannelKey, std::shared_ptr<LiveChannel>> channels_
      WORMHOLE_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<LiveChannel>> paused_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_LIVE_CHANNELS_H_
