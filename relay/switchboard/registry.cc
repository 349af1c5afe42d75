#include "relay/switchboard/registry.h"

#include <utility>

#include "relay/switchboard/refusals.h"
#include "relay/switchboard/stream_attachment.h"

namespace wormhole::relay {

Registry::Registry(SwitchboardOptions options, SwitchboardEnvironment environment, Store* store)
    : options_(std::move(options)),
      environment_(std::move(environment)),
      store_(store),
      shared_(store->shared()),
      ids_(environment_.random_below) {}

void Registry::Submit(const ChannelKey& key, ChannelOp operation) {
  const LiveChannels::Make make = [this](const ChannelKey& id) {
    return std::make_shared<LiveChannel>(shared_from_this(), id);
  };
  if (channels_.Submit(key, operation, make)) return;
  const std::shared_ptr<StreamAttachment> stream = operation.stream();
  if (!stream) return;
  stream->End(StoreAway(RetryDelay()));
  stream->Flush();
}

absl::Duration Registry::RetryDelay() const {
  constexpr uint32_t kSteps = 1000;
  return options_.retry_delay * (0.5 + environment_.random_below(kSteps + 1) / double{kSteps});
}

absl::Duration Registry::StreamAge() const {
  constexpr uint32_t kSteps = 200;
  if (options_.max_stream_age == absl::InfiniteDuration()) return absl::InfiniteDuration();
  return options_.max_stream_age * (0.9 + environment_.random_below(kSteps + 1) / 1000.0);
}

}  // namespace wormhole::relay
