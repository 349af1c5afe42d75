// The streams of a switchboard.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_STREAMS_H_
#define WORMHOLE_RELAY_SWITCHBOARD_STREAMS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "proto/sync/mutex.h"
#include "relay/switchboard/stream_attachment.h"

namespace wormhole::relay {

// Does not keep a stream alive: one is in here from Add to Remove. Lists are in the order in which
// the streams came, so that a simulation does the same things each time. Thread-safe; its mutex is
// a leaf.
class Streams {
 public:
  void Add(StreamAttachment* stream) WORMHOLE_EXCLUDES(mutex_);
  // False: it is not in here, or not any more.
  bool Remove(StreamAttachment* stream) WORMHOLE_EXCLUDES(mutex_);

  size_t size() const WORMHOLE_EXCLUDES(mutex_);
  std::vector<std::shared_ptr<StreamAttachment>> All() const WORMHOLE_EXCLUDES(mutex_);
  // Those that have said nothing since then.
  std::vector<std::shared_ptr<StreamAttachment>> SilentSince(absl::Duration time) const
      WORMHOLE_EXCLUDES(mutex_);
  // Those that came before then and have not said yet what they want.
  std::vector<std::shared_ptr<StreamAttachment>> UnopenedSince(absl::Duration time) const
      WORMHOLE_EXCLUDES(mutex_);
  // Those that have reached their maximum age by `now`.
  std::vector<std::shared_ptr<StreamAttachment>> OldAt(absl::Duration now) const
      WORMHOLE_EXCLUDES(mutex_);

  // From now on the switchboard refuses new streams.
  void Refuse() WORMHOLE_EXCLUDES(mutex_);
  bool refused() const WORMHOLE_EXCLUDES(mutex_);

 private:
  template <typename Predicate>
  std::vector<std::shared_ptr<StreamAttachment>> Those(Predicate predicate) const
      WORMHOLE_EXCLUDES(mutex_);

  mutable sync::Mutex mutex_;
  bool refused_ WORMHOLE_GUARDED_BY(mutex_) = false;
  // With the number of its arrival.
  absl::flat_hash_map<StreamAttachment*, uint64_t> streams_ WORMHOLE_GUARDED_BY(mutex_);
  uint64_t arrivals_ WORMHOLE_GUARDED_BY(mutex_) = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_STREAMS_H_
