// Which channel ids are in use, by app-id.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_IDS_H_
#define WORMHOLE_RELAY_SWITCHBOARD_IDS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proto/sync/mutex.h"
#include "relay/admission/refusal.h"
#include "relay/channel/id_pool.h"
#include "relay/channel/id_rules.h"
#include "relay/channel/record.h"
#include "relay/switchboard/switchboard_view.h"

namespace wormhole::relay {

// A hint, never the truth: the store decides whether an id is free. Thread-safe; its mutex is a
// leaf.
class Ids {
 public:
  // `random_below` as in SwitchboardEnvironment.
  Ids(const ChannelCaps& caps, std::function<uint32_t(uint32_t bound)> random_below);

  // Why there may be no further channel of this app-id; nothing: there may. All that is known
  // counts, by whichever relay and in whichever way it was made. So relays over one store keep the
  // caps together, but for what another has made and the store has not told yet.
  std::optional<Refusal> Full(const std::string& app_id) const WORMHOLE_EXCLUDES(mutex_);

  // Reserves an id for a new channel; nothing when none of `min_digits` or more is left.
  std::optional<IdPool::Drawn> Draw(const std::string& app_id, int min_digits)
      WORMHOLE_EXCLUDES(mutex_);
  void Set(const ChannelKey& key, IdState state) WORMHOLE_EXCLUDES(mutex_);

  // Fills in the counts of apps and channels.
  void Count(SwitchboardCounts& counts) const WORMHOLE_EXCLUDES(mutex_);
  // As Switchboard::ListApps and ListChannels have it.
  std::vector<AppView> ListApps(const std::string& after, size_t limit) const
      WORMHOLE_EXCLUDES(mutex_);
  std::vector<ChannelKey> List(const std::string& app_id, const ChannelKey& after,
                               size_t limit) const WORMHOLE_EXCLUDES(mutex_);

 private:
  static size_t Ended(const IdPool& pool);
  void Tally(IdState state, int step) WORMHOLE_REQUIRES(mutex_);

  const ChannelCaps caps_;
  const std::function<uint32_t(uint32_t bound)> random_below_;

  mutable sync::Mutex mutex_;
  // An app with no id in use is dropped. In order, for listings.
  std::map<std::string, IdPool> pools_ WORMHOLE_GUARDED_BY(mutex_);
  // Of all pools.
  size_t taken_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  size_t ended_ WORMHOLE_GUARDED_BY(mutex_) = 0;  // spent or resting
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_IDS_H_
