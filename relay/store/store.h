// The one interface to durable state. A store keeps channels and logs and has no rules of its
// own: relay/channel/rules.h decides, the store commits on a condition.
//
// Threads: any thread may call any method, also with its own lock held (but for Start, Flush and
// StopTelling). A method returns at once and never blocks on I/O; Start alone does. A call may wait
// for the Flush that follows it, unless it is made inside a `done`. The store runs `done` exactly
// once, later, on a thread of its own or inside some Flush (never inside the call), with no lock of
// the store held.
//
// Order: calls on one channel take effect in the order in which they were made. Their answers may
// come in another order, and on several threads at once: a call that has failed is answered while
// an earlier one is still under way, and a read that needs no I/O before both. Whoever has several
// calls out must tell from the answers themselves which is the newer one. Between answers and what
// the listener hears there is no order either.
//
// What `done` reports as done is as durable as this store can make it. A status that is not OK
// (UNAVAILABLE, STORE_AWAY) means that nothing is known of the call's effect; the caller tries
// again. Before the destructor returns, the store answers with UNAVAILABLE the calls that it has
// not carried out; afterwards no `done` runs.
#ifndef WORMHOLE_RELAY_STORE_STORE_H_
#define WORMHOLE_RELAY_STORE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/store/sharing.h"

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

// What a record brings along, in the same transaction.
struct PutOptions {
  // By author: as Accept. Changes nothing when the record has ended.
  PerRole<uint64_t> accepted;
  // The rest is for a store that relays share; one of a single relay's own has nobody to tell.
  // As SetAttached, for a side that the record makes a member. The store itself takes this back
  // when the record is not put, or when nobody knows whether it is.
  RoleSet attached;
  // The store reads the channel in the same transaction: once the record is put, Cached knows all
  // of the channel as of then, or knows nothing.
  bool read_back = false;
};

class Store : public StoreSharing {
 public:
  template <typename T>
  using Done = std::function<void(absl::StatusOr<T>)>;

  // Tells `listener`, by OnId and inside this call, of every channel that is kept, before it tells
  // it anything else. A store that relays share then tells it what the other relays do, until
  // StopTelling; the listener lives as long. Once, before any other call; blocks. When this fails,
  // the listener may have heard of some channels, and only StopTelling may follow.
  virtual absl::Status Start(StoreListener* listener) = 0;

  virtual void Load(const ChannelKey& key, Done<std::optional<ChannelSnapshot>> done) = 0;

  // The id of the channel that `side` is a member of, if any. Ended channels count too, also those
  // whose place another channel has taken, as long as their sides rest.
  virtual void FindSide(std::string_view app_id, std::string_view side,
                        Done<std::optional<uint32_t>> done) = 0;

  // Stores `record` (its version field is ignored) as version `expected` + 1 if the stored version
  // is `expected`; 0: if there is none. Both logs start empty for a new channel and are dropped
  // when the record has ended; a record may also take the place of an ended one, which starts
  // anew. The old record's sides then rest until its due_at has passed, the end of its quarantine:
  // they are new to every channel, this one too, but taken, so that a late copy of what a side said
  // lets it into no other channel. Over one that has not ended, a record that does not
  // continue it (Continues) is of an earlier channel with the id, or of what the store has
  // forgotten since it was put back to an older copy: kStale.
  virtual void Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
                   const PutOptions& options, Done<PutOutcome> done) = 0;

  // Forgets the channel, its logs and sides, if its version is `expected`.
  virtual void Erase(const ChannelKey& key, uint64_t expected, Done<PutOutcome> done) = 0;

  // The next three concern the channel that `channel` names, and no later one with the same id: the
  // caller may not have heard yet that another relay has ended the first and made the second; nor
  // that the store was put back to an older copy and has another receiver. What is of one receiver
  // is neither sent to another one nor forgotten in the other's name.

  // Appends `frame` to the author's log if the channel's version is `version`. A frame that the
  // reader's cursor has passed already is counted but not kept. The condition, the comparison
  // and the write are one transaction.
  virtual void Append(const ChannelRef& channel, uint64_t version, Role author, uint64_t number,
                      std::string frame, Done<AppendResult> done) = 0;

  // The author's reader has accepted the log up to `cursor`: raises `accepted` to it (never lowers
  // it) and forgets the frames up to it. Answers with the log afterwards; NOT_FOUND when the
  // channel is gone.
  virtual void Accept(const ChannelRef& channel, Role author, uint64_t cursor,
                      Done<LogState> done) = 0;

  // Frames of the author's log with numbers above `after`, ascending, up to `max_bytes` in all but
  // at least one. Empty when there are none or the channel is gone. Over a store that is shared,
  // what another relay has only just stored may be missing when there are others.
  virtual void Read(const ChannelRef& channel, Role author, uint64_t after, size_t max_bytes,
                    Done<std::vector<StoredFrame>> done) = 0;

  // At most `limit` channels with due_at <= now, the most overdue first. Forgets sides that have
  // rested until now, some thousands at a time: a store has no clock but this.
  virtual void Due(absl::Time now, size_t limit, Done<std::vector<ChannelKey>> done) = 0;

  // Bytes of the frames that are kept, by calls that may not have been answered yet. 0 of a store
  // that does not count them, since what it runs on has a limit. Costs nothing.
  virtual uint64_t StoredBytes() const { return 0; }

  // Starts the calls made so far. Called without locks, after what is more urgent than they are: a
  // store without a thread of its own carries them out here, and another one wakes its thread,
  // which would compete with the caller.
  virtual void Flush() = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_STORE_H_
