// What this relay knows of etcd's content: every channel's id and time, and the state of those that
// it deals with. Fed by the answers to its transactions and by its watch; tells the listener what
// other relays have changed.
#ifndef WORMHOLE_RELAY_STORE_ETCD_ETCD_CACHE_H_
#define WORMHOLE_RELAY_STORE_ETCD_ETCD_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "etcd_rpc.pb.h"
#include "proto/sync/mutex.h"
#include "relay/channel/record.h"
#include "relay/store/etcd/call.h"
#include "relay/store/etcd/channel_state.h"
#include "relay/store/etcd/index.h"
#include "relay/store/etcd/keys.h"
#include "relay/store/recent_map.h"
#include "relay/store/store.h"

namespace wormhole::relay {

// Thread-safe; the listener is called without the lock.
class EtcdCache {
 public:
  // `relay_id` is this relay. The cache calls `on_own_presence` without a lock, for each side that
  // etcd is found to have as attached here.
  EtcdCache(const EtcdKeys* keys, std::string relay_id,
            std::function<void(const ChannelRef&, Role)> on_own_presence);

  std::optional<ChannelState> Find(const ChannelKey& key) WORMHOLE_EXCLUDES(mutex_);
  // Whether the channel's next transaction would write, were it planned now. See plan.h.
  bool WritesNext(const ChannelKey& key, const EtcdCall& first) WORMHOLE_EXCLUDES(mutex_);
  // See ChannelState::FramesInLog. Empty also when the channel is not known, or another one.
  std::vector<StoredFrame> Frames(const ChannelRef& channel, Role author, uint64_t after,
                                  size_t max_bytes) WORMHOLE_EXCLUDES(mutex_);
  // Takes an answer over into what is known of the channel, from nothing if need be; true when this
  // relay has written the record. The cache is locked inside.
  void Update(const ChannelKey& key, const std::function<bool(ChannelState&)>& take)
      WORMHOLE_EXCLUDES(mutex_);
  // Nothing certain is known of the channel any more: a batch may have taken effect, or may yet do
  // so when its calls have failed. What comes of this relay's own is news from now on.
  void Forget(const ChannelKey& key) WORMHOLE_EXCLUDES(mutex_);

  // See Store.
  void Start(StoreListener* listener) WORMHOLE_EXCLUDES(mutex_);
  void StopTelling() WORMHOLE_EXCLUDES(mutex_);
  std::vector<ChannelKey> Due(absl::Time now, size_t limit) WORMHOLE_EXCLUDES(mutex_);

  // What the watch has brought; one call at a time.
  void TakeEvents(const etcdserverpb::WatchResponse& response) WORMHOLE_EXCLUDES(mutex_);
  // All records as of `revision`, after a time in which events may have been missed. `restored`:
  // what was known has revisions of a history that is no more.
  void TakeRecords(const std::vector<etcdserverpb::KeyValue>& records, int64_t revision,
                   bool restored) WORMHOLE_EXCLUDES(mutex_);

 private:
  using Notice = std::function<void(StoreListener&)>;
  using Notices = std::vector<Notice>;

  void TakeEvent(const etcdserverpb::Event& event, Notices& notices) WORMHOLE_REQUIRES(mutex_);
  // Begins the state of a channel that another relay has made, and that the watch keeps current
  // from the first: a relay that serves the channel needs no Load.
  void ExpectNews(const ChannelKey& key, int64_t revision) WORMHOLE_REQUIRES(mutex_);
  void TakeRecord(const ChannelKey& key, const etcdserverpb::KeyValue& kv, bool exists, bool own,
                  Notices& notices) WORMHOLE_REQUIRES(mutex_);
  void TakeState(const EtcdKeys::Place& place, const etcdserverpb::Event& event, bool own,
                 Notices& notices) WORMHOLE_REQUIRES(mutex_);
  void TellPresence(const EtcdKeys::Place& place, const ChannelState& state, Notices& notices);
  // The channel and the role, when the event says that etcd has the side as attached here, and has
  // it so still as far as is known.
  std::optional<std::pair<ChannelRef, Role>> OwnPresence(const etcdserverpb::Event& event)
      WORMHOLE_REQUIRES(mutex_);
  void TellLog(const EtcdKeys::Place& place, const ChannelState& state, Notices& notices)
      WORMHOLE_REQUIRES(mutex_);
  // The log's last frame, in its value or under the key that came last; null when it is not here.
  std::shared_ptr<StoredFrame> NewestFrame(const EtcdKeys::Place& place, const ChannelState& state,
                                           uint64_t number) WORMHOLE_REQUIRES(mutex_);
  // Whether the event is one of which the listener has not heard.
  bool TakeNotice(const etcdserverpb::KeyValue& kv) WORMHOLE_REQUIRES(mutex_);
  void Tell(const Notices& notices) WORMHOLE_EXCLUDES(mutex_);

  const EtcdKeys* const keys_;
  const std::string relay_id_;
  const std::string own_beginning_;  // of the values that this relay has written
  const std::function<void(const ChannelRef&, Role)> on_own_presence_;

  sync::Mutex mutex_;
  sync::CondVar told_;
  EtcdIndex index_ WORMHOLE_GUARDED_BY(mutex_);
  RecentMap<ChannelKey, ChannelState> states_ WORMHOLE_GUARDED_BY(mutex_);
  // Channels that were forgotten once: to tell the listener of them twice costs little.
  RecentMap<ChannelKey, std::monostate> forgotten_ WORMHOLE_GUARDED_BY(mutex_);
  // The frame that came last: its log follows, at the same revision.
  std::optional<EtcdKeys::Place> last_place_ WORMHOLE_GUARDED_BY(mutex_);
  int64_t last_revision_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  std::string last_frame_ WORMHOLE_GUARDED_BY(mutex_);
  // The newest notices of third parties: their revision and keys. A watch that is begun again
  // brings what it had brought last once more, and the listener adds up what it hears.
  int64_t noticed_at_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  std::set<std::string> noticed_ WORMHOLE_GUARDED_BY(mutex_);
  StoreListener* listener_ WORMHOLE_GUARDED_BY(mutex_) = nullptr;
  int telling_ WORMHOLE_GUARDED_BY(mutex_) = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_ETCD_CACHE_H_
