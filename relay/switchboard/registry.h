// What the streams and live channels of a switchboard share: the store and the clock, and the lists
// of which there are.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_REGISTRY_H_
#define WORMHOLE_RELAY_SWITCHBOARD_REGISTRY_H_

#include <memory>

#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/store/store.h"
#include "relay/switchboard/channel_context.h"
#include "relay/switchboard/channel_op.h"
#include "relay/switchboard/ids.h"
#include "relay/switchboard/live_channels.h"
#include "relay/switchboard/options.h"
#include "relay/switchboard/streams.h"

namespace wormhole::relay {

// Thread-safe, and has no lock of its own. The live channels keep it alive, and Shutdown lets the
// channels go.
class Registry final : public ChannelContext, public std::enable_shared_from_this<Registry> {
 public:
  // `store` outlives every use that this object makes of it, which ends with Shutdown.
  Registry(SwitchboardOptions options, SwitchboardEnvironment environment, Store* store);

  Ids& ids() { return ids_; }
  Streams& streams() { return streams_; }
  LiveChannels& channels() { return channels_; }
  absl::Duration steady_now() const { return environment_.steady_now(); }
  // The maximum age of one stream: around SwitchboardOptions::max_stream_age, with jitter.
  absl::Duration StreamAge() const;

  // Gives `operation` to the live channel of this id, which is made if there is none. Without
  // locks.
  void Submit(const ChannelKey& key, ChannelOp operation);
  // Retires all channels; from now on every operation is refused.
  void Shutdown() { channels_.Shutdown(); }

  // ChannelContext:
  const SwitchboardOptions& options() const override { return options_; }
  Store& store() const override { return *store_; }
  bool shared() const override { return shared_; }
  SwitchboardObserver* observer() const override { return environment_.observer; }
  absl::Time wall_now() const override { return environment_.wall_now(); }
  absl::Duration RetryDelay() const override;
  void SetId(const ChannelKey& key, IdState state) override { ids_.Set(key, state); }
  void OnRetired(const ChannelKey& key, const LiveChannel* channel) override {
    channels_.Remove(key, channel);
  }

 private:
  const SwitchboardOptions options_;
  const SwitchboardEnvironment environment_;
  Store* const store_;
  const bool shared_;
  Ids ids_;
  Streams streams_;
  LiveChannels channels_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_REGISTRY_H_
