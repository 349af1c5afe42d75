// One page of the channels at a switchboard.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_CHANNEL_LISTING_H_
#define WORMHOLE_RELAY_SWITCHBOARD_CHANNEL_LISTING_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "relay/switchboard/registry.h"
#include "relay/switchboard/switchboard.h"

namespace wormhole::relay {

// See Switchboard::ListChannels. Without locks.
void ListChannelPage(const std::shared_ptr<Registry>& registry, const std::string& app_id,
                     const ChannelKey& after, size_t limit,
                     std::function<void(absl::StatusOr<ChannelPage>)> done);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_CHANNEL_LISTING_H_
