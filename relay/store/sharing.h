// What a store does besides when several relays share it: it keeps where sides are attached, and
// tells each relay what the others do.
#ifndef WORMHOLE_RELAY_STORE_SHARING_H_
#define WORMHOLE_RELAY_STORE_SHARING_H_

#include <cstdint>
#include <optional>
#include <string>

#include "relay/channel/record.h"

namespace wormhole::relay {

struct StoredFrame {
  uint64_t number = 0;
  std::string frame;
};

// Hears from the store which ids are in use, and what other relays over the same store do. The
// store is the truth and this a hint: it may come late, or twice, or tell what the listener knows
// already. Of what happened before OnReset, some may never have been told.
//
// Start calls OnId inside itself, for every channel that there is; the listener must not call the
// store then. All other calls come from a thread of the store or from inside some Flush, several of
// them at once, with no lock of the store held; the listener may call the store.
class StoreListener {
 public:
  virtual ~StoreListener() = default;

  // The channel's id is in use or rests, or is free again. A store may also tell of channels that
  // this relay itself has made.
  virtual void OnId(const ChannelKey& key, IdState state) = 0;

  // The record has changed to `now`. Null: the store has not got the channel at hand, and a Load
  // tells what has changed.
  virtual void OnChanged(const ChannelKey& key, const ChannelSnapshot* now) = 0;

  // The author's log has changed to `log`. `frame` is the one with the number log.stored; null: the
  // store has not got it at hand, or the change was another one.
  virtual void OnLog(const ChannelRef& channel, Role author, const LogState& log,
                     const StoredFrame* frame) = 0;

  // Whether a stream of this side is attached at another relay. When there is one here too, a Load
  // that is made now tells which of the two is the newer.
  virtual void OnPresence(const ChannelRef& channel, Role role, bool remote) = 0;

  // Another relay has refused claims by third parties.
  virtual void OnThirdParties(const ChannelRef& channel, uint32_t count) = 0;

  // The store has missed changes: the listener loads every channel in use again. The store has told
  // by OnId which ids have changed meanwhile. With `restored`, the store was restored from an older
  // copy, or may have been: what it has said and acknowledged before may be true no more.
  virtual void OnReset(bool restored) = 0;
};

// The defaults are those of a store that is a single relay's own: nobody else changes it, and
// nobody is told. Threads are as in Store; these methods may be called with the caller's locks
// held.
class StoreSharing {
 public:
  virtual ~StoreSharing() = default;

  // Whether other relays may change what is stored here. If so, what a relay knows of a channel may
  // be outdated at any time, and the relay loads it before it tells a client.
  virtual bool shared() const { return false; }

  // What the store knows of a channel that exists, without asking anybody: each part of it has been
  // true, at a time of its own, and may be so no longer.
  virtual std::optional<ChannelSnapshot> Cached(const ChannelKey& key) {
    (void)key;
    return std::nullopt;
  }

  // A stream of this side of the channel is attached here, in place of any other, or no stream is
  // here any more; the store tells the other relays. There is no answer, and no order among the
  // other calls: the store brings this state about when it can, also after a time away, and the
  // last call counts. When this relay ends, its sides count as detached.
  //
  // False takes back this relay's own "attached" and nothing else: when the side has attached at
  // another relay since, that stays. The store keeps as long as the channel which relay the side
  // has attached at last: a Load at a relay where it had attached before says that it was
  // superseded there, even when the side has gone from the other relay since. Of a channel that has
  // ended, or has made room for another one with its id, the store tells nothing: its presence is
  // gone with it.
  virtual void SetAttached(const ChannelRef& channel, Role role, bool attached) {
    (void)channel, (void)role, (void)attached;
  }

  // This relay has refused claims by third parties. The store tells the other relays, and those
  // that are cut off from it at the time never hear of it.
  virtual void TellThirdParties(const ChannelRef& channel, uint32_t count) {
    (void)channel, (void)count;
  }

  // From now on the listener of Start hears nothing. A call of it that runs is waited for: this is
  // not to be called inside one. Calls on the store are answered as before.
  virtual void StopTelling() {}
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SHARING_H_
