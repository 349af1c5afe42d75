// What is known of one channel in etcd: each of its keys with the revision that it is known from.
// Pure; one thread.
//
// What is known of a key comes from the answers to this relay's transactions and from its watch, in
// any order; the newer revision stays.
#ifndef WORMHOLE_RELAY_STORE_ETCD_CHANNEL_STATE_H_
#define WORMHOLE_RELAY_STORE_ETCD_CHANNEL_STATE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "etcd_rpc.pb.h"
#include "relay/channel/record.h"
#include "relay/store/etcd/keys.h"
#include "relay/store/store.h"

namespace wormhole::relay {

// One key.
template <typename T>
struct Cell {
  // The revision that has written it; when it does not exist, one as of which it did not.
  int64_t revision = 0;
  std::optional<T> value;

  // Takes over what was true as of `at`, unless something newer is known.
  bool Take(int64_t at, std::optional<T> news) {
    if (at <= revision) return false;
    revision = at;
    value = std::move(news);
    return true;
  }
};

// Short frames are kept in their log's value, up to so many bytes in all: a key less to write, to
// tell watchers of and to delete again. Few, because each append writes them all again.
inline constexpr size_t kMaxBytesInLog = 1024;

struct EtcdFrame {
  uint64_t size = 0;
  std::string frame;  // itself, if it is kept in the log; else empty
};

// One author's log as its relay keeps it.
struct EtcdLog {
  uint64_t stored = 0;
  std::vector<EtcdFrame> last;  // up to the one with the number `stored`

  // Null when it is not one of the last.
  const EtcdFrame* Find(uint64_t number) const;
  // Adds one that is to be kept, or that only counts. Of the others those beyond `forgotten` are.
  // Returns whether the frame is to be kept under a key of its own.
  bool Add(const std::string& frame, bool keep, uint64_t forgotten);
  // Lets go of those that are not kept any more.
  void DropUpTo(uint64_t forgotten);
};

struct ChannelState {
  Cell<ChannelRecord> record;
  PerRole<Cell<EtcdLog>> logs;             // by author
  PerRole<Cell<uint64_t>> cursors;         // by author: how far its reader has accepted
  PerRole<Cell<std::string>> attached_at;  // the relay at which it is attached
  // By role: the relay at which it has attached last. Its revision is at most that of `attached_at`
  // when both were written.
  PerRole<Cell<std::string>> arrivals;
  int64_t lease = 0;  // of the record's key as it is known

  Cell<EtcdLog>& log(Role author) { return logs[author]; }
  Cell<uint64_t>& cursor(Role author) { return cursors[author]; }
  Cell<std::string>& presence(Role role) { return attached_at[role]; }
  Cell<std::string>& arrival(Role role) { return arrivals[role]; }

  // 0: there is no channel.
  uint64_t version() const { return record.value ? record.value->version : 0; }
  // Whether there is a channel, and this one.
  bool IsOf(const ChannelRef& channel) const {
    return record.value && channel.Names(*record.value);
  }
  // The same, by ChannelRef::initiator alone.
  bool IsOf(const std::string& initiator) const {
    return record.value && (initiator.empty() || initiator == Initiator());
  }
  // Empty when there is no channel.
  std::string Initiator() const {
    return record.value ? record.value->member(Role::kInitiator).side : std::string();
  }
  LogState LogOf(Role author) const { return LogUpTo(author, UINT64_MAX); }
  // The channel is there, and the side has not left.
  bool MayBeAttached(Role role) const {
    return record.value && !record.value->ended() && !record.value->member(role).left;
  }
  // As if no frame beyond `number` had been stored.
  LogState LogUpTo(Role author, uint64_t number) const;
  // Whether a frame of these numbers may have a key of its own.
  bool MayHaveKeys(Role author, uint64_t first, uint64_t last) const;
  // The frames that follow `after` as far as they are in the log itself; at least one, and then up
  // to `max_bytes`. Empty when the next one is not.
  std::vector<StoredFrame> FramesInLog(Role author, uint64_t after, size_t max_bytes) const;
  // Nothing is known.
  bool empty() const { return record.revision == 0; }
  // As of which all is known of where the side is and was attached.
  int64_t PresenceRevision(Role role) const {
    return std::max(attached_at[role].revision, arrivals[role].revision);
  }
  // When another relay than `relay` has said last that the side is or was attached there; 0: none
  // has that is known of.
  int64_t SaidByOthers(Role role, std::string_view relay) const;
  // As `relay` sees it, were none of its streams newer than what others have said.
  std::optional<ChannelSnapshot> SnapshotFor(std::string_view relay) const;

  // Takes over what an event or an answer says of a key; `exists` is false for a deletion. Returns
  // whether anything was newer than what was known.
  bool Take(const EtcdKeys::Place& place, const etcdserverpb::KeyValue& kv, bool exists);
  // All that was read at `revision`: keys that are in neither range did not exist then.
  static ChannelState Read(const EtcdKeys& keys, const etcdserverpb::RangeResponse& record_range,
                           const etcdserverpb::RangeResponse& state_range, int64_t revision);
  // Of a channel that was made at `revision`, with nothing else from before.
  static ChannelState MadeAt(int64_t revision);
  // Takes over each key of `other` that is newer there.
  void Merge(const ChannelState& other);
};

// The values as they are written; `relay_id` is the relay that writes.
std::string WriteRecord(const ChannelRecord& record, std::string_view relay_id);
std::string WriteLog(const EtcdLog& log, std::string_view relay_id);
std::string WriteCursor(uint64_t accepted, std::string_view relay_id);
std::string WriteFrame(std::string_view frame, std::string_view relay_id);
std::string WritePresence(std::string_view relay_id);
std::string WriteNotice(uint32_t third_parties, std::string_view initiator,
                        std::string_view relay_id);
// Under a side's key: the id of its channel, and until when the side rests when another channel has
// taken the place of that.
std::string WriteSide(uint32_t id);
std::string WriteRestingSide(uint32_t id, absl::Time until);

std::optional<ChannelRecord> ReadRecord(const std::string& value);
std::optional<std::string> ReadFrame(const std::string& value);
struct EtcdNotice {
  uint32_t third_parties = 0;
  std::string initiator;  // ChannelRef::initiator
};
EtcdNotice ReadNotice(const std::string& value);
struct EtcdSide {
  uint32_t id = 0;
  std::optional<absl::Time> rests_until;
};
std::optional<EtcdSide> ReadSide(std::string_view value);
// How every value that this relay writes begins.
std::string BeginningOf(std::string_view relay_id);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_CHANNEL_STATE_H_
