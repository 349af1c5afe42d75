// What a batch of calls has changed in memory: to be written as one row, or to be taken back. Pure;
// one thread.
#ifndef WORMHOLE_RELAY_STORE_SQLITE_BATCH_CHANGES_H_
#define WORMHOLE_RELAY_STORE_SQLITE_BATCH_CHANGES_H_

#include <map>
#include <optional>
#include <vector>

#include "relay/channel/record.h"
#include "relay/store/memory/memory_channels.h"
#include "relay/store/sqlite/stored_rest.h"
#include "sqlite_batch.pb.h"

namespace wormhole::relay {

class BatchChanges final : public ChannelsObserver {
 public:
  void OnChange(const ChannelKey& key, const KeptChannel* before, bool anew) override;
  void OnRest(const RestingSide& side) override;
  void OnForget(const std::vector<RestingSide>& sides) override;

  // What has to be known beside what was before, to come to `now`. What came and went within the
  // batch is not in it.
  store::StoredBatch Describe(const MemoryChannels& now) const;
  // Makes of `channels` what they were before.
  void TakeBack(MemoryChannels& channels) const;
  void Clear() { *this = {}; }

 private:
  struct Before {
    std::optional<KeptChannel> channel;  // when the batch first changed it
    bool anew = false;                   // nothing of its logs has stayed
  };

  std::map<ChannelKey, Before> before_;
  std::map<SideName, RestingSide> ended_rests_;  // which had begun before the batch
  std::map<SideName, RestingSide> rests_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_BATCH_CHANGES_H_
