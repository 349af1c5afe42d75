// Which rows of a relay's SQLite file are behind its batches, and since when. Pure; one thread.
#ifndef WORMHOLE_RELAY_STORE_SQLITE_SQLITE_BACKLOG_H_
#define WORMHOLE_RELAY_STORE_SQLITE_SQLITE_BACKLOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "relay/channel/record.h"
#include "relay/store/memory/memory_channels.h"
#include "relay/store/sqlite/sqlite_batch.pb.h"

namespace wormhole::relay {

class SqliteBacklog {
 public:
  // Nothing: the side does not rest any more.
  using Rests = std::map<std::pair<std::string, std::string>, std::optional<RestingSide>>;

  // What goes into the rows at once.
  struct Step {
    std::vector<ChannelKey> channels;
    Rests rests;         // all that are behind
    int64_t needed = 0;  // the first batch that is needed afterwards

    bool empty() const { return channels.empty() && rests.empty(); }
  };

  // The batch, of so many bytes, is in the file, and no row reflects it.
  void Add(int64_t number, size_t bytes, const store::StoredBatch& batch);

  // The rows that are behind since batch `last` or longer, at most so many channels, the longest
  // first; sides that rest go along. `next`: the number of the next batch.
  Step Next(int64_t last, size_t most, int64_t next) const;
  // The rows were written, and the batches that are not needed deleted.
  void NoteDone(const Step& step);

  size_t channels() const { return since_.size(); }
  // Of the batches in the file.
  size_t bytes() const { return bytes_; }

 private:
  std::map<ChannelKey, int64_t> since_;
  std::set<std::pair<int64_t, ChannelKey>> oldest_;  // the same, in the order of batches
  Rests rests_;
  std::deque<std::pair<int64_t, size_t>> batches_;  // numbers and bytes
  size_t bytes_ = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_SQLITE_BACKLOG_H_
