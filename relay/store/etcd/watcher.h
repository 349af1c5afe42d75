// Keeps the cache in step with etcd: reads all records once, and what relays say of their clocks,
// however long it takes until etcd is there; then watches, and after a watch that was lost goes on
// where it ended. When etcd has compacted that away, or was restored from a copy that is older, it
// reads all records again.
//
// A restored etcd counts its revisions on from those of the copy, and may have come to more than
// were seen here. So its history is known again by the last event that was seen, be it a deletion:
// another one has something else at that revision.
#ifndef WORMHOLE_RELAY_STORE_ETCD_WATCHER_H_
#define WORMHOLE_RELAY_STORE_ETCD_WATCHER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "etcd_rpc.pb.h"
#include "proto/sync/mutex.h"
#include "relay/store/etcd/api.h"
#include "relay/store/etcd/clocks.h"
#include "relay/store/etcd/etcd_cache.h"
#include "relay/store/etcd/keys.h"

namespace wormhole::relay {

// Thread-safe. Its callbacks end with EtcdApi::Stop, which comes before its destruction.
class EtcdWatcher {
 public:
  // What it tells beside the cache. Called without locks.
  struct Listener {
    // What came of reading everything for the first time. OK, at last: the cache has all records,
    // and the watch has begun. False: it is not to be tried again.
    std::function<bool(const absl::Status& status)> on_read;
    // Before the cache hears of an etcd that was restored.
    std::function<void()> on_restored;
    // When the watch has ended, and each time that it could not be begun again.
    std::function<void()> on_lost;
    // All clocks; see GroupClocks. Before the cache hears of the records, which are due by them.
    std::function<void(const std::vector<ClockSighting>& all, bool restored)> on_clocks;
    // One was written or has gone.
    std::function<void(const ClockSighting& one)> on_clock;
  };

  EtcdWatcher(const EtcdKeys* keys, EtcdApi* etcd, EtcdCache* cache, Listener listener);

  // An answer was of this revision. The watch may not have come to tell of it when etcd ends.
  void Heard(int64_t revision) WORMHOLE_EXCLUDES(mutex_);

  // Begins, and begins anew what has come to its end, not more often than a few times a second.
  // Called now and then; `now` never goes back.
  void Tick(absl::Duration now) WORMHOLE_EXCLUDES(mutex_);

 private:
  // Reads the records page by page, and then the clocks, all of one revision.
  struct Listing {
    std::vector<etcdserverpb::KeyValue> records;
    std::vector<ClockSighting> clocks;
    int64_t revision = 0;
    uint64_t cluster = 0;
    bool restored = false;
    std::function<void(const absl::Status&)> done;
  };
  // The last event that the watch has brought, or the newest record before the first one.
  struct Sighting {
    std::string key;  // empty: there was none
    int64_t revision = 0;
    std::string value;  // a digest; empty: the key was deleted
  };
  enum class History { kSame, kAnother, kUnclear };

  // For the first time.
  void Read() WORMHOLE_EXCLUDES(mutex_);
  void OnRead(const absl::Status& status) WORMHOLE_EXCLUDES(mutex_);
  void List(const std::shared_ptr<Listing>& listing);
  void OnPage(const std::shared_ptr<Listing>& listing,
              const absl::StatusOr<etcdserverpb::RangeResponse>& page);
  void ListClocks(const std::shared_ptr<Listing>& listing);
  void Take(const Listing& listing) WORMHOLE_EXCLUDES(mutex_);
  // Watches, if the history that was seen so far is etcd's still. Reads what etcd has now, and if
  // that leaves it open, what etcd had when the last event was seen.
  void Resume() WORMHOLE_EXCLUDES(mutex_);
  void ReadHistory() WORMHOLE_EXCLUDES(mutex_);
  void GoOn(History history);
  bool compacted() WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    return compacted_;
  }
  static Sighting SightingOf(const etcdserverpb::KeyValue& kv);
  static bool Shows(const etcdserverpb::RangeResponse& range, const Sighting& written);
  // By etcd's cluster id, which is new when it was restored under a new token, by the revision and
  // the term that it has come to, and by what it has under the key of the last event now; or had
  // then, and one revision earlier. `seen`: the newest revision that had been heard of when it was
  // asked for.
  History JudgeNow(const etcdserverpb::RangeResponse& answer, int64_t seen)
      WORMHOLE_EXCLUDES(mutex_);
  History JudgeThen(const etcdserverpb::TxnResponse& answer) WORMHOLE_EXCLUDES(mutex_);
  void Watch() WORMHOLE_EXCLUDES(mutex_);
  void ListAndWatch(bool restored);
  void OnResponse(const etcdserverpb::WatchResponse& response) WORMHOLE_EXCLUDES(mutex_);
  void OnEnd() WORMHOLE_EXCLUDES(mutex_);

  const EtcdKeys* const keys_;
  EtcdApi* const etcd_;
  EtcdCache* const cache_;
  const Listener listener_;

  sync::Mutex mutex_;
  bool busy_ WORMHOLE_GUARDED_BY(mutex_) = false;  // a watch or a listing is under way
  bool read_ WORMHOLE_GUARDED_BY(mutex_) = false;  // everything was, once
  bool compacted_ WORMHOLE_GUARDED_BY(mutex_) = false;
  uint64_t cluster_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  uint64_t term_ WORMHOLE_GUARDED_BY(mutex_) = 0;  // the newest that the watch has told
  int64_t seen_ WORMHOLE_GUARDED_BY(mutex_) = 0;   // the newest revision that was heard of
  int64_t next_ WORMHOLE_GUARDED_BY(mutex_) = 0;   // the first one that was not seen whole
  Sighting last_ WORMHOLE_GUARDED_BY(mutex_);
  absl::Duration last_try_ WORMHOLE_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_WATCHER_H_
