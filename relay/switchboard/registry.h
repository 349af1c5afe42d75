// What the streams and live channels of a switchboard share: the store and the clock, and the lists
// of which there are.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_REGISTRY_H_
#define WORMHOLE_RELAY_SWITCHBOARD_REGISTRY_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "relay/admission/refusal.h"
#include "relay/channel/record.h"
#include "relay/store/store.h"
#include "relay/switchboard/channel_context.h"
#include "relay/switchboard/channel_op.h"
#include "relay/switchboard/ids.h"
#include "relay/switchboard/live_channels.h"
#include "relay/switchboard/options.h"
#include "relay/switchboard/post_budgets.h"
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
  PostBudgets& budgets() { return budgets_; }
  // Null: everybody may do everything.
  Admission* admission() const { return environment_.admission; }
  const TokenJudge* tokens() const { return environment_.tokens; }
  // The maximum age of one stream: around SwitchboardOptions::max_stream_age, with jitter.
  absl::Duration StreamAge() const;
  // When somebody is to come back who is refused for so long, at least: with jitter, and within two
  // minutes, since by then others may have gone. Where it is theirs to go, or his own channels',
  // nobody knows how long that takes: one or two of SwitchboardOptions::retry_delay.
  absl::Duration DelayAfter(const Refused& refused) const;

  // Somebody has come up against a limit that is not admission's: his refusal, which is counted.
  absl::Status Refuse(Refusal why, const StreamOrigin& origin, const std::string& app_id) const;

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
  absl::Duration steady_now() const override { return environment_.steady_now(); }
  absl::Duration RetryDelay() const override;
  absl::Status JudgeStored(size_t frame_bytes, uint64_t log_bytes, const StreamOrigin& origin,
                           const std::string& app_id) const override;
  void SetId(const ChannelKey& key, IdState state) override;
  void OnAllocated(const ChannelKey& key, const StreamOrigin& origin) override;
  void OnClaimFailed(const StreamOrigin& origin) override;
  void OnPaused(std::shared_ptr<LiveChannel> channel) override {
    channels_.AddPaused(std::move(channel));
  }
  // In this order: whoever comes next for the id has to find the budget.
  void OnRetired(const ChannelKey& key, const LiveChannel* channel,
                 const PostBudget& budget) override {
    budgets_.Return(key, budget, steady_now());
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
  PostBudgets budgets_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_REGISTRY_H_
