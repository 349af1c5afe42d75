// Takes what the store tells of other relays to the live channels and to the list of ids.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_STORE_WATCH_H_
#define WORMHOLE_RELAY_SWITCHBOARD_STORE_WATCH_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "relay/channel/record.h"
#include "relay/store/store.h"
#include "relay/switchboard/registry.h"

namespace wormhole::relay {

// Thread-safe. Only live channels are told: a stream that comes later is answered from a load.
class StoreWatch final : public StoreListener {
 public:
  explicit StoreWatch(std::shared_ptr<Registry> registry) : registry_(std::move(registry)) {}

  void OnId(const ChannelKey& key, IdState state) override;
  void OnChanged(const ChannelKey& key, const ChannelSnapshot* now) override;
  void OnLog(const ChannelRef& channel, Role author, const LogState& log,
             const StoredFrame* frame) override;
  void OnPresence(const ChannelRef& channel, Role role, bool remote) override;
  void OnThirdParties(const ChannelRef& channel, uint32_t count) override;
  void OnReset(bool restored) override;

 private:
  const std::shared_ptr<Registry> registry_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_STORE_WATCH_H_
