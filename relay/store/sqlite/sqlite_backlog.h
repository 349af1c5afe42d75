// Which rows of a relay's SQLite file are behind its batches, and since when. Pure; one thread.
#ifndef WORMHOLE_RELAY_STORE_SQLITE_SQLITE_BACKLOG_H_
#define WORMHOLE_RELAY_STORE_SQLITE_SQLITE_BACKLOG_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "relay/channel/record.h"
#include "relay/store/memory/memory_channels.h"
#include "relay/store/sqlite/stored_rest.h"
#include "sqlite_batch.pb.h"

namespace wormhole::relay {

class SqliteBacklog {
 public:
  // What goes into the rows at once.
  struct Step {
    std::vector<ChannelKey> channels;
    // Nothing: the side does not rest any more.
    std::vector<std::pair<SideName, std::optional<RestingSide>>> rests;
    int64_t needed = 0;  // the first batch that is needed afterwards

    bool empty() const { return channels.empty() && rests.empty(); }
  };
  // How much that is at most: so many channels, and so many sides; and so many bytes of frames, but
  // one channel at least.
  struct Most {
    size_t rows = 0;
    size_t bytes = 0;
  };

  // The batch, of so many bytes, is in the file, and no row reflects it.
  void Add(int64_t number, size_t bytes, const store::StoredBatch& batch);

  // The rows that are behind since batch `last` or longer, the longest first. `bytes_of`: of the
  // frames that the channel keeps. `next`: the number of the next batch.
  Step Next(int64_t last, const Most& most,
            const std::function<size_t(const ChannelKey& key)>& bytes_of, int64_t next) const;
  // The rows were written, and the batches that are not needed deleted.
  void NoteDone(const Step& step);

  // How many channels, or sides, whichever are more.
  size_t rows() const { return std::max(channels_.since.size(), sides_.since.size()); }
  // Of the batches in the file.
  size_t bytes() const { return bytes_; }

 private:
  // What is behind, also in the order of batches.
  template <typename Name>
  struct Behind {
    std::map<Name, int64_t> since;
    std::set<std::pair<int64_t, Name>> oldest;

    void Add(const Name& name, int64_t number) {
      if (since.try_emplace(name, number).second) oldest.emplace(number, name);
    }
    void Remove(const Name& name) {
      const auto found = since.find(name);
      oldest.erase({found->second, name});
      since.erase(found);
    }
  };

  Behind<ChannelKey> channels_;
  Behind<SideName> sides_;
  std::map<SideName, std::optional<RestingSide>> rests_;  // of sides_
  std::deque<std::pair<int64_t, size_t>> batches_;        // numbers and bytes
  size_t bytes_ = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_SQLITE_BACKLOG_H_
