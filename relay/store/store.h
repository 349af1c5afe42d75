// The one interface to durable state. A store keeps channels and logs and has no rules of its
// own: relay/channel/rules.h decides, the store commits on a condition.
//
// Threads: every method may be called from any thread, also with the caller's lock held (but for
// Flush); it returns at once and never blocks on I/O. A call may wait for the Flush that follows
// it, unless it is made inside a `done`. `done` runs exactly once, later, on a thread of the store
// or inside some Flush (never inside the call), with no lock of the store held. Calls on one
// channel take effect in the order in which they were made. What `done` reports as done is as
// durable as this store can make it. A status that is not OK (UNAVAILABLE, STORE_AWAY) means that
// nothing is known of the call's effect; the caller tries again. After the destructor has returned
// no `done` runs; calls that were not carried out are answered with UNAVAILABLE before.
#ifndef WORMHOLE_RELAY_STORE_STORE_H_
#define WORMHOLE_RELAY_STORE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "relay/channel/record.h"

namespace wormhole::relay {

enum class PutOutcome {
  kDone,
  kStale,      // the stored version is not the expected one
  kSideTaken,  // a side that is new in this record belongs to another channel of the app-id
};

enum class AppendOutcome {
  kDone,      // stored now or before, the same bytes; or a number already forgotten
  kConflict,  // other bytes are stored under this number
  kGap,       // not the number after the last stored one
  kStale,     // the channel is gone or its version is not the expected one
};

struct AppendResult {
  AppendOutcome outcome = AppendOutcome::kDone;
  LogState log;  // afterwards
};

struct StoredFrame {
  uint64_t number = 0;
  std::string frame;
};

// What other relays over the same store do. The store is the truth and this a hint: it may come
// late, or twice, or of what the listener knows better already, and after OnGap whatever happened
// before it may not have been told.
//
// Called on a thread of the store or inside some Flush, by several threads at once, with no lock of
// the store held; the listener may call the store.
class StoreListener {
 public:
  virtual ~StoreListener() = default;

  // The channel's id is in use (or rests, with `ended`), or is free again. At first also of
  // channels of this relay's own.
  virtual void OnId(const ChannelKey& key, bool exists, bool ended) = 0;

  // The record is another one: `now`, when the channel is at hand. Without it nothing is known of
  // what has changed, and a new Load tells.
  virtual void OnChanged(const ChannelKey& key, const ChannelSnapshot* now) = 0;

  // The author's log is so now. `frame`, the one with the number log.stored, when it is at hand.
  virtual void OnLog(const ChannelRef& channel, Role author, const LogState& log,
                     const StoredFrame* frame) = 0;

  // Whether a stream of this side is attached at another relay. Which one is the newer when there
  // is one here too, a Load tells that is made now.
  virtual void OnPresence(const ChannelRef& channel, Role role, bool remote) = 0;

  // Claims by third parties were refused at another relay.
  virtual void OnThirdParties(const ChannelRef& channel, uint32_t count) = 0;

  // Something was missed: every channel in use is to be loaded again. Of ids that have changed
  // meanwhile OnId is told all the same.
  virtual void OnGap() = 0;

  // The store was restored from an older copy, or may have been: what it has said before need not
  // be so any more, nor is what it has acknowledged since there. Of ids as with OnGap.
  virtual void OnRestored() = 0;
};

// What goes along with a record, in the same transaction.
struct PutOptions {
  // As by SetAttached. A word that has come with a record is taken back like another one;
  // by the store itself when the record is not put, or nobody knows whether it is.
  RoleSet attached;
  // By author: as by Accept. Changes nothing when the record has ended.
  PerRole<uint64_t> accepted;
  // A look: once the record is put, Known is as new as that, unless it is nothing.
  bool read_back = false;
};

class Store {
 public:
  template <typename T>
  using Done = std::function<void(absl::StatusOr<T>)>;

  virtual ~Store() = default;

  // Calls `visit` for every channel that is kept, with whether it has ended. Once, before any
  // other call; blocks; `visit` runs inside the call.
  virtual absl::Status ForEach(const std::function<void(const ChannelKey&, bool ended)>& visit) = 0;

  virtual void Load(const ChannelKey& key, Done<std::optional<ChannelSnapshot>> done) = 0;

  // The id of the channel that `side` is a member of, if any (ended ones included, also those whose
  // place was taken, as long as their sides rest).
  virtual void FindSide(std::string_view app_id, std::string_view side,
                        Done<std::optional<uint32_t>> done) = 0;

  // Stores `record` (its version field is ignored) as version `expected` + 1 if the stored version
  // is `expected`; 0: if there is none. Both logs start empty for a new channel and are dropped
  // when the record has ended; a record may also take the place of an ended one, which starts
  // anew. The old record's sides then rest until its due_at has passed, the end of its quarantine:
  // they are new to every channel, this one too, but taken, so that a late copy of what a side said
  // lets it into no other channel. One that has not ended keeps its initiator: another
  // initiator's record is of an earlier channel with the id, and kStale.
  virtual void Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
                   Done<PutOutcome> done) = 0;

  // Forgets the channel, its logs and sides, if its version is `expected`.
  virtual void Erase(const ChannelKey& key, uint64_t expected, Done<PutOutcome> done) = 0;

  // The next three are of the channel that is named, and none that has come to have its id since:
  // whoever calls may not have heard yet of what other relays have done.

  // Appends `frame` to the author's log if the channel's version is `version`. A frame that the
  // reader's cursor has passed already is counted but not kept. The condition, the comparison
  // and the write are one transaction.
  virtual void Append(const ChannelRef& channel, uint64_t version, Role author, uint64_t number,
                      std::string frame, Done<AppendResult> done) = 0;

  // The reader has accepted the author's log up to `cursor`: raises `accepted` to it (never lowers
  // it) and forgets the frames up to it. Answers with the log afterwards; NOT_FOUND when the
  // channel is gone.
  virtual void Accept(const ChannelRef& channel, Role author, uint64_t cursor,
                      Done<LogState> done) = 0;

  // Frames of the author's log with numbers above `after`, ascending, up to `max_bytes` in all but
  // at least one. Empty when there are none or the channel is gone. Over a store that is shared,
  // what another relay has only just stored may be missing when there are others.
  virtual void Read(const ChannelRef& channel, Role author, uint64_t after, size_t max_bytes,
                    Done<std::vector<StoredFrame>> done) = 0;

  // At most `limit` channels with due_at <= now, the most overdue first. Forgets the sides that
  // have rested until now: a store has no clock but this.
  virtual void Due(absl::Time now, size_t limit, Done<std::vector<ChannelKey>> done) = 0;

  // Starts the calls made so far. Called without locks, after what is more urgent than they are: a
  // store without a thread of its own carries them out here, and another one wakes its thread,
  // which would compete with the caller.
  virtual void Flush() = 0;

  // --- A store that several relays share; one that is a single relay's own leaves these alone. ---

  // Whether other relays may change what is stored here: what is known of a channel is then no
  // more than a belief, and a Load is needed before it is told to a client.
  virtual bool shared() const { return false; }

  // As Put, with something that goes along. It comes to nothing when the record is not put.
  virtual void PutWith(const ChannelKey& key, uint64_t expected, ChannelRecord record,
                       const PutOptions& options, Done<PutOutcome> done) {
    (void)options;
    Put(key, expected, std::move(record), std::move(done));
  }

  // What is known here of a channel that exists, without a look: it has been so, each part of it at
  // a time of its own, and may be no longer. May be called with locks held.
  virtual std::optional<ChannelSnapshot> Cached(const ChannelKey& key) {
    (void)key;
    return std::nullopt;
  }

  // Tells `listener` what happens after ForEach, which is called next. Null: nobody any more; a
  // call of the listener that runs is waited for, so that it must not be made inside one.
  virtual void Listen(StoreListener* listener) { (void)listener; }

  // A stream of this side of the channel that is named is attached here, in place of any other, or
  // no stream is here any more; the other relays are told. No answer, and no order among the other
  // calls: it is a state that the store brings about when it can, also after a time away, and the
  // last word is the one that counts; the side counts as detached when this relay ends. False takes
  // back the word of this relay alone: it changes nothing when the side has attached at another one
  // since. That the side has attached, once it was told, is kept as long as the channel: what
  // is Loaded at a relay where it has attached before says that it was superseded there, also when
  // it has gone since. Of a
  // channel that has ended, or has made room for another with its id, nothing is told: its presence
  // has gone with it.
  virtual void SetAttached(const ChannelRef& channel, Role role, bool attached) {
    (void)channel, (void)role, (void)attached;
  }

  // Claims by third parties were refused here; the other relays are told, as far as they listen.
  virtual void TellThirdParties(const ChannelRef& channel, uint32_t count) {
    (void)channel, (void)count;
  }
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_STORE_H_
