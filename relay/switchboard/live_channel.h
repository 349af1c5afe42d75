// What is in memory of a channel that somebody is attached to, waits for, or is changing.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_LIVE_CHANNEL_H_
#define WORMHOLE_RELAY_SWITCHBOARD_LIVE_CHANNEL_H_

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/sync/mutex.h"
#include "relay/channel/post_budget.h"
#include "relay/channel/record.h"
#include "relay/store/store.h"
#include "relay/switchboard/bound_channel.h"
#include "relay/switchboard/channel_context.h"
#include "relay/switchboard/channel_op.h"
#include "relay/switchboard/delivery.h"
#include "relay/switchboard/load_tracker.h"
#include "relay/switchboard/locked_effects.h"
#include "relay/switchboard/membership.h"

namespace wormhole::relay {

// One per channel id that is in use here, and all that concerns the id goes through it in order:
// allocation, claims, waiters, posts, expiry. It may see several channels come and go, each with a
// Tenure of its own. It begins by loading the channel, keeps the snapshot current from the store's
// answers, and loads it again when it may be out of date. An error of the store, or idleness,
// retires it; the next operation for its id makes a new one.
//
// This class has the lock, the order of operations, and the store's callbacks. Its parts have the
// rest:
//
//   Membership    who belongs to the channel, who is attached, who waits: has the tenure
//   ChannelOp     what changes the membership: create, claim, resume, close, ...
//   Delivery      the rules of posts, frames and acknowledgements; what they work on is in the
//                 tenure's members (LiveMember)
//   LoadTracker   whether what is known is new enough
//
// Over a store that other relays share, the snapshot is a cache that the store's notifications keep
// fresh: it adopts what they say as far as that is safe, and otherwise loads the channel again. A
// client that opens a stream is answered from a load that began after it came, or from what was
// read back with its own change.
//
// Threads: everything from any thread. Locks: mutex_ comes before those of the context and of the
// streams, which are leaves. Streams and the store are flushed after it is given back
// (LockedEffects).
class LiveChannel final : public BoundChannel,
                          public std::enable_shared_from_this<LiveChannel>,
                          private LogCalls {
 public:
  using Stream = std::shared_ptr<StreamAttachment>;

  LiveChannel(std::shared_ptr<ChannelContext> context, ChannelKey key, const PostBudget& budget);

  const ChannelKey& key() const { return key_; }

  // Takes `op`. False, with `op` untouched, when the channel is retired.
  bool Submit(ChannelOp& op) WORMHOLE_EXCLUDES(mutex_);

  // BoundChannel:
  void Post(const Stream& stream, uint64_t number, std::string frame) override
      WORMHOLE_EXCLUDES(mutex_);
  void Ack(const Stream& stream, uint64_t number) override WORMHOLE_EXCLUDES(mutex_);
  void Close(const Stream& stream, Mood mood) override WORMHOLE_EXCLUDES(mutex_);
  void Drained(const Stream& stream) override WORMHOLE_EXCLUDES(mutex_);
  void Detach(const Stream& stream) override WORMHOLE_EXCLUDES(mutex_);

  // Looks whether sides that had to wait may post again. Follows ChannelContext::OnPaused.
  void Resume() WORMHOLE_EXCLUDES(mutex_);

  // Ends all streams with STORE_AWAY and retires: whoever comes next begins with what the store
  // has.
  void Shutdown() WORMHOLE_EXCLUDES(mutex_);

  Occupancy occupancy() WORMHOLE_EXCLUDES(mutex_);

  // What other relays over the same store do: see StoreListener.
  void OnChanged(const ChannelSnapshot* now) WORMHOLE_EXCLUDES(mutex_);
  void OnLog(const ChannelRef& channel, Role author, const LogState& log, const StoredFrame* frame)
      WORMHOLE_EXCLUDES(mutex_);
  void OnPresence(const ChannelRef& channel, Role role, bool remote) WORMHOLE_EXCLUDES(mutex_);
  void OnThirdParties(const ChannelRef& channel, uint32_t count) WORMHOLE_EXCLUDES(mutex_);

 private:
  // --- Life. ---

  // Does whatever can be done now. It follows every change of state.
  void Advance(LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  bool Idle() const WORMHOLE_REQUIRES(mutex_);
  // The store has failed: nothing here is certain any more.
  void FailStore(LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void Retire() WORMHOLE_REQUIRES(mutex_);
  Store& CallStore(LockedEffects& effects) { return effects.Call(context_->store()); }

  // --- Loads. ---

  // The membership is known, if perhaps not the newest, and not being changed. A change that goes
  // by it is stored on the condition that it is the newest.
  bool Settled() const WORMHOLE_REQUIRES(mutex_) { return loads_.known() && !committing_; }
  // The same, and no load is under way that would show something newer.
  bool Current() const WORMHOLE_REQUIRES(mutex_) { return loads_.current() && !committing_; }
  void LoadIfNeeded(LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void OnLoaded(absl::StatusOr<std::optional<ChannelSnapshot>> loaded) WORMHOLE_EXCLUDES(mutex_);

  // --- Operations. ---

  OpScope ScopeOf(ChannelOp& op, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  bool CanRunFirstOp() const WORMHOLE_REQUIRES(mutex_);
  void RunFirstOp(LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  // What the first operation asks for.
  void CarryOut(OpStep step, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  // `next.version` is the version that it replaces.
  void Commit(OpPut put, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void OnCommitted(ChannelRecord next, const absl::StatusOr<PutOutcome>& outcome)
      WORMHOLE_EXCLUDES(mutex_);
  void OnSideFound(const absl::StatusOr<std::optional<uint32_t>>& id) WORMHOLE_EXCLUDES(mutex_);
  // Members whose posts are done may leave now. Returns whether there is an
  // operation to run at once.
  bool QueueCloses() WORMHOLE_REQUIRES(mutex_);
  // Another relay has made the channel that those who wait here wait for.
  void QueueAdmission() WORMHOLE_REQUIRES(mutex_);

  // --- Requests. ---

  // Ends the stream of a waiter that has sent what only a member may send.
  void RefuseWaiter(const Stream& stream, std::string_view field, LockedEffects& effects)
      WORMHOLE_REQUIRES(mutex_);

  // --- Logs. LogCalls: ---

  void Append(Role author, const QueuedPost& post, LockedEffects& effects) override
      WORMHOLE_REQUIRES(mutex_);
  void Accept(Role reader, uint64_t cursor, LockedEffects& effects) override
      WORMHOLE_REQUIRES(mutex_);
  void Read(Role reader, uint64_t after, LockedEffects& effects) override WORMHOLE_REQUIRES(mutex_);
  void OnAppended(const std::shared_ptr<Tenure>& tenure, Role author, uint64_t serial,
                  const absl::StatusOr<AppendResult>& result) WORMHOLE_EXCLUDES(mutex_);
  void OnAccepted(const std::shared_ptr<Tenure>& tenure, Role reader,
                  const absl::StatusOr<LogState>& log) WORMHOLE_EXCLUDES(mutex_);
  void OnRead(const std::shared_ptr<Tenure>& tenure, Role reader, const Stream& stream,
              absl::StatusOr<std::vector<StoredFrame>> frames) WORMHOLE_EXCLUDES(mutex_);

  const std::shared_ptr<ChannelContext> context_;
  const ChannelKey key_;

  sync::Mutex mutex_;
  bool retired_ WORMHOLE_GUARDED_BY(mutex_) = false;
  LoadTracker loads_ WORMHOLE_GUARDED_BY(mutex_);
  Membership members_ WORMHOLE_GUARDED_BY(mutex_);
  Delivery delivery_ WORMHOLE_GUARDED_BY(mutex_);
  std::list<ChannelOp> ops_ WORMHOLE_GUARDED_BY(mutex_);
  // The first operation is with the store. Posts are held back meanwhile: the version may change.
  bool committing_ WORMHOLE_GUARDED_BY(mutex_) = false;
  // Resume follows.
  bool paused_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_LIVE_CHANNEL_H_
