// Keeps the cache in step with etcd: reads all records once, and what relays say of their clocks,
// however long it takes until etcd is there; then watches, and after a watch that was lost goes on
// where it ended. When etcd has compacted that away, or was restored from a copy that is older
// (history.h), it reads all records again.
#ifndef WORMHOLE_RELAY_STORE_ETCD_WATCHER_H_
#define WORMHOLE_RELAY_STORE_ETCD_WATCHER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "etcd_rpc.pb.h"
#include "proto/sync/mutex.h"
#include "relay/store/etcd/api.h"
#include "relay/store/etcd/clocks.h"
#include "relay/store/etcd/etcd_cache.h"
#include "relay/store/etcd/history.h"
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

  // See EtcdHistory: what a transaction's answer has shown, of which the watch may not have come to
  // tell when etcd ends. `seen` is what Seen was when it was sent.
  int64_t Seen() WORMHOLE_EXCLUDES(mutex_);
  void Heard(const EtcdHistory::Answer& answer, int64_t seen) WORMHOLE_EXCLUDES(mutex_);

  // Begins, and begins anew what has come to its end, not more often than a few times a second.
  // Called now and then; `now` never goes back.
  void Tick(absl::Duration now) WORMHOLE_EXCLUDES(mutex_);

 private:
  // Reads the records page by page, and then the clocks, all of one revision.
  struct Listing {
    std::vector<etcdserverpb::KeyValue> records;
    std::vector<ClockSighting> clocks;
    etcdserverpb::ResponseHeader header;  // of the first page; no revision: it is still to come
    EtcdHistory::Question question;
    bool restored = false;
    std::function<void(const absl::Status&)> done;
  };

  // For the first time.
  void Read() WORMHOLE_EXCLUDES(mutex_);
  void OnRead(const absl::Status& status) WORMHOLE_EXCLUDES(mutex_);
  void List(const std::shared_ptr<Listing>& listing);
  // Whether what is of the listing's revision may be of its history.
  static bool BelongsTo(const Listing& listing, const etcdserverpb::ResponseHeader& header);
  void OnPage(const std::shared_ptr<Listing>& listing,
              const absl::StatusOr<etcdserverpb::RangeResponse>& page);
  void ListClocks(const std::shared_ptr<Listing>& listing);
  void Take(const Listing& listing) WORMHOLE_EXCLUDES(mutex_);
  bool IsRestored(const Listing& listing) WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    return listing.restored ||
           history_.Contradict(listing.records, listing.header, listing.question);
  }
  // Nothing: etcd has not answered. kUnclear: what would tell was compacted.
  using OnVerdict = std::function<void(std::optional<EtcdHistory::Verdict>)>;

  // Watches, if the history that was seen so far is etcd's still.
  void Resume() WORMHOLE_EXCLUDES(mutex_);
  // Etcd has answered. Whether the question was one that an earlier watch had left.
  bool TakeVerdict(EtcdHistory::Verdict verdict) WORMHOLE_EXCLUDES(mutex_);
  void GoOn(EtcdHistory::Verdict verdict);
  // Asks the same again when the watch has begun, until there is an answer, be it after the watch:
  // etcd may have been restored since, and may be further on than it was. If so, the watch ends
  // with its next word; if what would tell was compacted in this short time, nobody finds out.
  void Confirm() WORMHOLE_EXCLUDES(mutex_);
  // Reads what etcd has now, and if that leaves it open, what etcd had when the last event was
  // seen.
  void AskEtcd(const EtcdHistory::Question& question, const OnVerdict& done);
  void ReadHistory(const EtcdHistory::Question& question, const OnVerdict& done);
  EtcdHistory::Verdict JudgeNow(const EtcdHistory::Question& question,
                                const etcdserverpb::RangeResponse& now) WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    return history_.JudgeNow(question, now);
  }
  void NoteAnother() WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    history_.NoteAnother();
  }
  // A watch alone would leave something out.
  bool HasToList() WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    return unclear_ || history_.compacted();
  }
  void Watch() WORMHOLE_EXCLUDES(mutex_);
  void ListAndWatch(bool restored) WORMHOLE_EXCLUDES(mutex_);
  // False: the watch is to end.
  bool OnResponse(const etcdserverpb::WatchResponse& response) WORMHOLE_EXCLUDES(mutex_);
  void OnEnd() WORMHOLE_EXCLUDES(mutex_);

  const EtcdKeys* const keys_;
  EtcdApi* const etcd_;
  EtcdCache* const cache_;
  const Listener listener_;

  sync::Mutex mutex_;
  bool busy_ WORMHOLE_GUARDED_BY(mutex_) = false;   // a watch or a listing is under way
  uint64_t watch_ WORMHOLE_GUARDED_BY(mutex_) = 0;  // counts beginnings and ends
  // What is to be confirmed of the watch, or of one before it that ended without an answer. What
  // such a watch has told since may be of a restored etcd, and would find that etcd right.
  std::optional<EtcdHistory::Question> unconfirmed_ WORMHOLE_GUARDED_BY(mutex_);
  bool asks_ WORMHOLE_GUARDED_BY(mutex_) = false;  // for a verdict
  // There was none, since what would tell was compacted: what is known may be of an etcd that is no
  // more, until all records are read.
  bool unclear_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool read_ WORMHOLE_GUARDED_BY(mutex_) = false;  // everything was, once
  EtcdHistory history_ WORMHOLE_GUARDED_BY(mutex_);
  absl::Duration last_try_ WORMHOLE_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_WATCHER_H_
