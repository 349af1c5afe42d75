// Every channel in etcd as this relay sees it: which ids are in use, and when each is due. Pure;
// one thread.
#ifndef WORMHOLE_RELAY_STORE_ETCD_INDEX_H_
#define WORMHOLE_RELAY_STORE_ETCD_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "relay/channel/record.h"

namespace wormhole::relay {

class EtcdIndex {
 public:
  // A channel that another relay changed last is left to that relay for so long after it is due,
  // so that not all relays see to all channels.
  static constexpr absl::Duration kOthersTime = absl::Seconds(5);

  // The record is so as of `revision`; null: there is none. `own`: this relay has written it. False
  // when something newer is known.
  bool Take(const ChannelKey& key, int64_t revision, const ChannelRecord* record, bool own);
  // As of `revision` there are no channels but those in `keys`. The ones that are dropped, in
  // order.
  std::vector<ChannelKey> DropAllBut(const absl::flat_hash_map<ChannelKey, bool>& keys,
                                     int64_t revision);

  // Whatever comes next is newer than what is known.
  void Rewind();

  void ForEach(const std::function<void(const ChannelKey&, IdState state)>& visit) const;
  std::vector<ChannelKey> Due(absl::Time now, size_t limit) const;

 private:
  struct Entry {
    int64_t revision = 0;
    absl::Time due_at;
    IdState state = IdState::kTaken;
    bool own = false;
  };
  static absl::Time LookedAt(const Entry& entry) {
    return entry.own ? entry.due_at : entry.due_at + kOthersTime;
  }

  absl::flat_hash_map<ChannelKey, Entry> entries_;
  std::set<std::pair<absl::Time, ChannelKey>> due_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_INDEX_H_
