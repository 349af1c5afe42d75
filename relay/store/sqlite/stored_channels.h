// The channels of a relay's SQLite file: its rows, and on top of them the batches that no row
// reflects yet. Pure; one thread.
#ifndef WORMHOLE_RELAY_STORE_SQLITE_STORED_CHANNELS_H_
#define WORMHOLE_RELAY_STORE_SQLITE_STORED_CHANNELS_H_

#include <cstdint>
#include <map>

#include "absl/status/status.h"
#include "relay/channel/record.h"
#include "relay/store/memory/memory_channels.h"
#include "relay/store/sqlite/stored_rest.h"
#include "sqlite_batch.pb.h"

namespace wormhole::relay {

// Errors are DATA_LOSS, and say what cannot be.
class StoredChannels {
 public:
  // A row, which reflects all batches up to `batch`. Its frames have to be those that its log
  // keeps.
  absl::Status AddRow(const ChannelKey& key, int64_t batch, KeptChannel channel);
  void AddRest(const RestingSide& side);
  // The next batch, in the order of their numbers.
  absl::Status Apply(int64_t number, const store::StoredBatch& batch);

  // Puts all into `channels`, which are empty. Nothing is here afterwards.
  absl::Status MoveTo(MemoryChannels& channels);

 private:
  struct Row {
    int64_t batch = 0;
    KeptChannel channel;
  };

  absl::Status Apply(int64_t number, const store::StoredChange& change);

  std::map<ChannelKey, Row> rows_;
  std::map<SideName, RestingSide> rests_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_STORED_CHANNELS_H_
